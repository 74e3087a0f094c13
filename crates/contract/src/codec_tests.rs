use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::actor::{Actor, ActorKind, Cause};
use crate::entity_event::{EntityEvent, EntityEventKind};
use crate::identity_command::{CommandAction, IdentityCommand};
use crate::identity_event::{Change, Changes, Effect, IdentityEvent, MemberKind, OrganizationState, TokenKind};
use crate::policy_change::{ChainState, ChangeSet, Head, Heartbeat, Operation, PolicyOps, PrincipalKind};
use crate::schema::SchemaEntry;
use crate::snapshot::{SnapshotRequest, Stage, Want};
use crate::{ChainId, Hash, Stream, Timestamp};

fn round_trip<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let bytes = encode(record).unwrap();
    assert_eq!(&decode::<R>(&bytes, &SchemaRegistry::default()).unwrap(), record);
    assert_eq!(encode(record).unwrap(), bytes, "the bytes follow from the record alone");
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn every_change() -> Vec<Change> {
    let role = crate::identity_event::CatalogueRole {
        key: "control_planes.viewer".into(),
        entity_type: "control_planes".into(),
        actions: vec!["view".into()],
        covers_children: vec![],
    };
    let at = Timestamp(1);
    vec![
        Change::CatalogueChanged { roles: vec![role] },
        Change::OrganizationCreated { owner: id(1) },
        Change::OrganizationStateChanged { state: OrganizationState::Suspended },
        Change::OrganizationDeleted {},
        Change::UserInvited { user: id(1) },
        Change::UserActivated { user: id(1) },
        Change::UserStateChanged { user: id(1), active: false },
        Change::UserChanged { user: id(1), fields: vec!["full_name".into()] },
        Change::UserErased { user: id(1) },
        Change::TeamCreated { team: id(2), system: true },
        Change::TeamChanged { team: id(2), fields: vec![] },
        Change::TeamDeleted { team: id(2) },
        Change::MemberAdded {
            team: id(2),
            member: id(1),
            member_kind: MemberKind::User,
            valid_from: Some(at),
            valid_until: None,
        },
        Change::MemberRemoved { team: id(2), member: id(1) },
        Change::SystemAccountCreated { account: id(3), managed: false },
        Change::SystemAccountChanged { account: id(3), fields: vec![] },
        Change::SystemAccountDeleted { account: id(3) },
        Change::TokenIssued {
            token: id(4),
            principal: id(1),
            kind: TokenKind::Personal,
            hash: Hash::of(&[b"x"]),
            expires_at: at,
        },
        Change::TokenChanged { token: id(4), fields: vec![] },
        Change::TokenRevoked { token: id(4) },
        Change::RoleAssigned {
            assignment: id(5),
            principal: id(1),
            role: "control_planes.viewer".into(),
            entity_type: "control_planes".into(),
            entity_id: None,
            region: Some("eu".into()),
            valid_from: None,
            valid_until: Some(at),
            condition: Some(id(6)),
        },
        Change::RoleUnassigned { assignment: id(5) },
        Change::CustomRoleDefined { role: id(7), entity_type: "control_planes".into(), actions: vec![] },
        Change::CustomRoleDeleted { role: id(7) },
        Change::ConditionSet { condition: id(6), effect: Effect::Forbid, cedar_json: "{}".into() },
        Change::ConditionDeleted { condition: id(6) },
    ]
}

fn every_operation() -> Vec<Operation> {
    let at = Timestamp(1);
    vec![
        Operation::PutOrganization { state: OrganizationState::Active },
        Operation::DropAll {},
        Operation::PutPrincipal { id: id(1), kind: PrincipalKind::Team, active: true },
        Operation::DropPrincipal { id: id(1) },
        Operation::PutBinding { team: id(2), member: id(1), valid_from: None, valid_until: Some(at) },
        Operation::DropBinding { team: id(2), member: id(1) },
        Operation::PutRole {
            role: "r".into(),
            entity_type: "t".into(),
            actions: vec!["a".into()],
            covers_children: vec!["c".into()],
        },
        Operation::DropRole { role: "r".into() },
        Operation::PutGrant {
            id: id(3),
            principal: id(1),
            role: "r".into(),
            entity_type: "t".into(),
            entity_id: Some("e".into()),
            region: None,
            valid_from: None,
            valid_until: None,
            condition: None,
        },
        Operation::DropGrant { id: id(3) },
        Operation::PutToken {
            id: id(4),
            hash: Hash::ZERO,
            principal: id(1),
            kind: TokenKind::SystemAccount,
            expires_at: at,
        },
        Operation::DropToken { id: id(4) },
        Operation::PutCondition { id: id(5), effect: Effect::When, cedar_json: "{}".into() },
        Operation::DropCondition { id: id(5) },
        Operation::PutEntity {
            entity_type: "t".into(),
            id: "e".into(),
            parent_type: Some("p".into()),
            parent_id: Some("q".into()),
        },
        Operation::DropEntity { entity_type: "t".into(), id: "e".into() },
    ]
}

fn head() -> Head {
    let chain = ChainId { organization: id(9), origin: "us".into(), stream: Stream::Entities };
    Head { chain, epoch: 1, revision: 2, digest: Hash::of(&[b"d"]), state_digest: Hash::ZERO, state: ChainState::Live }
}

fn entity_event() -> EntityEvent {
    EntityEvent {
        kind: EntityEventKind::Created,
        organization: id(9),
        entity_type: "control_planes".into(),
        entity_id: "cp-1".into(),
        parent_type: None,
        parent_id: None,
        occurred_at: Timestamp(1),
    }
}

#[test]
fn every_kind_of_change_and_operation_is_read_back() {
    round_trip(&Changes { changes: every_change() });
    round_trip(&PolicyOps { ops: every_operation() });
}

#[test]
fn envelopes_are_read_back() {
    let actor = Actor { kind: ActorKind::User, id: id(1).to_string() };
    let cause = Some(Cause { source: "s".into(), id: "i".into() });
    round_trip(&IdentityEvent {
        organization: id(9),
        epoch: 1,
        revision: 1,
        committed_at: Timestamp(7),
        actor: actor.clone(),
        cause: cause.clone(),
        request_id: None,
        features: 0,
        payload: vec![1, 2],
    });
    round_trip(&ChangeSet {
        organization: id(9),
        stream: Stream::Identity,
        epoch: 1,
        revision: 1,
        previous_digest: Hash::ZERO,
        digest: Hash::of(&[b"1"]),
        state_digest: Hash::of(&[b"2"]),
        committed_at: Timestamp(7),
        actor,
        cause,
        request_id: Some("r".into()),
        rejected: None,
        features: 1 << 40,
        part: 0,
        parts: 1,
        payload: vec![],
    });
}

#[test]
fn records_of_later_producers_are_read_back() {
    round_trip(&entity_event());
    round_trip(&SchemaEntry::of::<ChangeSet>());
    let heartbeat = Heartbeat {
        partition: 1,
        seq: 2,
        at: Timestamp(3),
        identity_closed_at: Timestamp(2),
        entities_closed_at: Timestamp(2),
        chains: 4,
        set_digest: Hash::ZERO,
        moved: vec![head()],
        build: "0.1.0".into(),
    };
    round_trip(&heartbeat);
    round_trip(&SnapshotRequest {
        request_id: id(1),
        requester: "eu/projector".into(),
        stage: Stage::Authorization,
        origin: "us".into(),
        want: Want::Heads,
        chain: Some(head().chain),
        partition: Some(3),
        after: Some(vec![1, 2]),
        have_epoch: None,
        have_revision: Some(4),
        issued_at: Timestamp(1),
        expires_at: Timestamp(2),
    });
    round_trip(&IdentityCommand {
        organization: id(9),
        issued_at: Timestamp(1),
        expires_at: Timestamp(2),
        on_behalf_of: None,
        if_revision: Some(3),
        action: CommandAction::RemoveMember { team: id(2), member: id(1) },
    });
}

#[test]
fn json_of_the_same_shape_is_an_entity_event() {
    let json = r#"{"kind":"created","organization":"00000000-0000-0000-0000-000000000009","entity_type":"control_planes",
        "entity_id":"cp-1","occurred_at":"1970-01-01T00:00:00.000001Z","something":"else"}"#;
    assert_eq!(serde_json::from_str::<EntityEvent>(json).unwrap(), entity_event());
}

/// What a writer one release ahead may do: a new field with a default, and an old one gone.
#[test]
fn a_newer_writer_is_read_through_its_published_schema() {
    let newer = EntityEvent::schema().text.replacen(
        r#""fields": ["#,
        r#""fields": [{"name": "weight", "type": "int", "default": 0},"#,
        1,
    );
    let compiled = CompiledSchema::parse(&newer).unwrap();
    let mut bytes = encode(&entity_event()).unwrap();
    bytes.splice(2..10, compiled.fingerprint);
    bytes.insert(10, 0x02);

    let registry = SchemaRegistry::default();
    assert!(matches!(decode::<EntityEvent>(&bytes, &registry), Err(CodecError::UnknownSchema { .. })));
    let entry = SchemaEntry { fingerprint: compiled.fingerprint, sha256: compiled.sha256, schema: newer };
    registry.learn(&entry).unwrap();
    assert_eq!(decode::<EntityEvent>(&bytes, &registry).unwrap(), entity_event());
}

#[test]
fn a_schema_under_a_wrong_fingerprint_is_not_learned() {
    let mut entry = SchemaEntry::of::<EntityEvent>();
    entry.sha256 = Hash::ZERO;
    assert!(SchemaRegistry::default().learn(&entry).is_err());
}

proptest! {
    /// Bytes from outside may be anything: an error, never a panic.
    #[test]
    fn any_bytes_are_refused_calmly(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), own in any::<bool>()) {
        if own {
            let mut framed = MARKER.to_vec();
            framed.extend_from_slice(&EntityEvent::schema().fingerprint);
            framed.append(&mut bytes);
            bytes = framed;
        }
        let _ = decode::<EntityEvent>(&bytes, &SchemaRegistry::default());
        let _ = decode::<PolicyOps>(&bytes, &SchemaRegistry::default());
    }

    /// A cut or damaged record is refused or read as something else; never a panic.
    #[test]
    fn a_damaged_record_does_not_panic(at in 0usize..4096, flip in 1u8..) {
        let mut bytes = encode(&Changes { changes: every_change() }).unwrap();
        let at = at % bytes.len();
        prop_assert!(decode::<Changes>(&bytes[..at], &SchemaRegistry::default()).is_err());
        bytes[at] ^= flip;
        let _ = decode::<Changes>(&bytes, &SchemaRegistry::default());
    }
}

/// Bytes that `schemas/examples/produce_entity.py` (fastavro) made.
#[test]
fn what_another_avro_library_wrote_is_read() {
    let hex = "c30148b006238ffa8619000197a3c26f0e7d198c550a3f5e0d7b11027402690000f6d9c4d28db0b006";
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let event: EntityEvent = decode(&bytes, &SchemaRegistry::default()).unwrap();
    assert_eq!(event.organization.to_string(), "0197a3c2-6f0e-7d19-8c55-0a3f5e0d7b11");
    assert_eq!((event.entity_type.as_str(), event.entity_id.as_str()), ("t", "i"));
}
