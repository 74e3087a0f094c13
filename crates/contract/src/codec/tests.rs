use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::actor::{Actor, ActorKind, Cause};
use crate::decision::{DecisionBatch, DecisionRecord};
use crate::entity_event::{EntityEvent, EntityEventKind};
use crate::identity_command::{CommandAction, IdentityCommand};
use crate::identity_event::{Change, Changes, IdentityEvent};
use crate::policy_change::{ChainState, ChangeSet, Head, Heartbeat, Operation, PolicyOps};
use crate::row::{
    Condition, Effect, Entity, EntityKey, Grant, Membership, OrganizationState, Principal, PrincipalKind, Role, Token,
    TokenKind, Validity,
};
use crate::schema::SchemaEntry;
use crate::snapshot::{SnapshotRequest, Stage, Want};
use crate::{
    ChainId, ConditionId, GrantId, Hash, OrganizationId, Revision, Stream, SystemAccountId, TeamId, Timestamp, TokenId,
    UserId,
};

fn round_trip<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let bytes = encode(record).unwrap();
    assert_eq!(&decode::<R>(&bytes, &SchemaRegistry::default()).unwrap(), record);
    assert_eq!(encode(record).unwrap(), bytes, "the bytes follow from the record alone");
}

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(9))
}

fn user() -> UserId {
    UserId::from_uuid(Uuid::from_u128(1))
}

fn team() -> TeamId {
    TeamId::from_uuid(Uuid::from_u128(2))
}

fn account() -> SystemAccountId {
    SystemAccountId::from_uuid(Uuid::from_u128(3))
}

fn token() -> Token {
    let id = TokenId::from_uuid(Uuid::from_u128(4));
    Token {
        id,
        hash: Hash::of(&[b"x"]),
        principal: user().into(),
        kind: TokenKind::SystemAccount,
        expires_at: Timestamp(1),
    }
}

fn role() -> Role {
    Role {
        key: "control_planes.viewer".parse().unwrap(),
        entity_type: "control_planes".parse().unwrap(),
        actions: ["view", "edit"].map(|action| action.parse().unwrap()).into(),
        covers_children: ["routes".parse().unwrap()].into(),
    }
}

fn grant() -> Grant {
    Grant {
        id: GrantId::from_uuid(Uuid::from_u128(5)),
        principal: user().into(),
        role: role().key,
        entity_type: role().entity_type,
        entity_id: Some("cp-1".parse().unwrap()),
        region: Some("eu".parse().unwrap()),
        validity: Validity { from: None, until: Some(Timestamp(1)) },
        condition: Some(condition().id),
    }
}

fn membership() -> Membership {
    Membership { team: team(), member: user().into(), validity: Validity::default() }
}

fn condition() -> Condition {
    let id = ConditionId::from_uuid(Uuid::from_u128(6));
    Condition { id, effect: Effect::Forbid, cedar_json: "{}".parse().unwrap() }
}

fn entity() -> Entity {
    let key = |id: &str| EntityKey { entity_type: "routes".parse().unwrap(), entity_id: id.parse().unwrap() };
    Entity { key: key("r-1"), parent: Some(key("r-0")) }
}

fn every_change() -> Vec<Change> {
    let fields = vec!["full_name".parse().unwrap()];
    vec![
        Change::CatalogueChanged { roles: vec![role()] },
        Change::OrganizationCreated { owner: user() },
        Change::OrganizationStateChanged { state: OrganizationState::Suspended },
        Change::OrganizationDeleted {},
        Change::UserInvited { user: user() },
        Change::UserActivated { user: user() },
        Change::UserStateChanged { user: user(), active: false },
        Change::UserChanged { user: user(), fields: fields.clone() },
        Change::UserErased { user: user() },
        Change::TeamCreated { team: team(), system: true },
        Change::TeamChanged { team: team(), fields: vec![] },
        Change::TeamDeleted { team: team() },
        Change::MemberAdded(membership()),
        Change::MemberRemoved { team: team(), member: user().into() },
        Change::SystemAccountCreated { account: account(), managed: false },
        Change::SystemAccountChanged { account: account(), fields: fields.clone() },
        Change::SystemAccountDeleted { account: account() },
        Change::TokenIssued(token()),
        Change::TokenChanged { token: token().id, fields },
        Change::TokenRevoked { token: token().id },
        Change::RoleAssigned(grant()),
        Change::RoleUnassigned { grant: grant().id },
        Change::CustomRoleDefined(role()),
        Change::CustomRoleDeleted { key: role().key },
        Change::ConditionSet(condition()),
        Change::ConditionDeleted { condition: condition().id },
    ]
}

fn every_operation() -> Vec<Operation> {
    let principal = Principal { id: account().into(), kind: PrincipalKind::SystemAccount, active: true };
    vec![
        Operation::PutOrganization { state: OrganizationState::Active },
        Operation::DropAll {},
        Operation::PutPrincipal(principal),
        Operation::DropPrincipal { id: user().into() },
        Operation::PutMembership(membership()),
        Operation::DropMembership { team: team(), member: user().into() },
        Operation::PutRole(role()),
        Operation::DropRole { key: role().key },
        Operation::PutGrant(Grant { entity_id: None, region: None, condition: None, ..grant() }),
        Operation::DropGrant { id: grant().id },
        Operation::PutToken(token()),
        Operation::DropToken { id: token().id },
        Operation::PutCondition(condition()),
        Operation::DropCondition { id: condition().id },
        Operation::PutEntity(entity()),
        Operation::DropEntity(entity().key),
    ]
}

fn head() -> Head {
    let chain = ChainId { organization: organization(), origin: "us".parse().unwrap(), stream: Stream::Entities };
    let (digest, state_digest) = (Hash::of(&[b"d"]), Hash::ZERO);
    Head { chain, revision: Revision::first_epoch(2), digest, state_digest, state: ChainState::Live }
}

fn entity_event() -> EntityEvent {
    EntityEvent {
        kind: EntityEventKind::Created,
        organization: organization(),
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
    let actor = Actor { kind: ActorKind::User, id: user().to_string().parse().unwrap() };
    let cause = Some(Cause { source: "s".parse().unwrap(), id: "i".parse().unwrap() });
    round_trip(&IdentityEvent {
        organization: organization(),
        revision: Revision::first_epoch(1),
        previous_digest: Hash::ZERO,
        digest: Hash::of(&[b"1"]),
        committed_at: Timestamp(7),
        actor: actor.clone(),
        cause: cause.clone(),
        request_id: None,
        features: 0,
        payload: vec![1, 2],
    });
    round_trip(&ChangeSet {
        organization: organization(),
        stream: Stream::Identity,
        revision: Revision::first_epoch(1),
        previous_digest: Hash::ZERO,
        digest: Hash::of(&[b"1"]),
        state_digest: Hash::of(&[b"2"]),
        committed_at: Timestamp(7),
        actor,
        cause,
        request_id: Some("r".parse().unwrap()),
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
        build: "0.1.0".parse().unwrap(),
    };
    round_trip(&heartbeat);
    round_trip(&SnapshotRequest {
        request_id: Uuid::from_u128(1),
        requester: "eu/projector".parse().unwrap(),
        stage: Stage::Authorization,
        origin: "us".parse().unwrap(),
        want: Want::Heads,
        chain: Some(head().chain),
        partition: Some(3),
        after: Some(vec![1, 2]),
        have: Some(Revision::first_epoch(4)),
        issued_at: Timestamp(1),
        expires_at: Timestamp(2),
    });
    round_trip(&IdentityCommand {
        organization: organization(),
        issued_at: Timestamp(1),
        expires_at: Timestamp(2),
        on_behalf_of: None,
        if_revision: Some(Revision::first_epoch(3)),
        action: CommandAction::AssignRole(grant()),
    });
}

#[test]
fn decisions_are_read_back() {
    let decision = DecisionRecord {
        id: Uuid::from_u128(1),
        organization: organization(),
        at: Timestamp(2),
        requester: Actor::system("projector"),
        subject: user().into(),
        action: "view".parse().unwrap(),
        resource_type: "control_planes".parse().unwrap(),
        resource_id: "cp-1".parse().unwrap(),
        decision: true,
        reason: "granted".parse().unwrap(),
        heads: vec![head()],
        age_ms: -1,
        trace_id: None,
        sample_rate: 1.0,
    };
    let region = "eu".parse().unwrap();
    round_trip(&DecisionBatch { region, first_at: Timestamp(2), decisions: vec![decision.clone(), decision] });
}

#[test]
fn json_of_the_same_shape_is_an_entity_event() {
    let json = r#"{"kind":"created","organization":"00000000-0000-0000-0000-000000000009","entity_type":"control_planes",
        "entity_id":"cp-1","occurred_at":"1970-01-01T00:00:00.000001Z","something":"else"}"#;
    assert_eq!(serde_json::from_str::<EntityEvent>(json).unwrap(), entity_event());
}

/// A command of another system names only what it needs.
#[test]
fn json_with_the_least_fields_is_a_command() {
    let json = r#"{"organization":"00000000-0000-0000-0000-000000000009","issued_at":1,"expires_at":2,
        "action":{"AddMember":{"team":"00000000-0000-0000-0000-000000000002",
                               "member":"00000000-0000-0000-0000-000000000001"}}}"#;
    let command: IdentityCommand = serde_json::from_str(json).unwrap();
    assert_eq!(command.action, CommandAction::AddMember(membership()));
}

#[test]
fn a_text_that_breaks_its_type_is_not_read() {
    let mut bytes = encode(&PolicyOps { ops: vec![Operation::DropRole { key: role().key }] }).unwrap();
    let at = bytes.windows(4).position(|window| window == b"view").unwrap();
    bytes[at] = b' ';
    assert!(matches!(decode::<PolicyOps>(&bytes, &SchemaRegistry::default()), Err(CodecError::Invalid { .. })));
}

/// A newer reader reads what carries facts through the writer's schema, too.
#[test]
fn facts_are_read_through_another_writers_schema() {
    let ops = PolicyOps { ops: every_operation() };
    let (mut bytes, registry) = written_by_a_newer_build(&ops, |schema| schema);
    assert_eq!(decode::<PolicyOps>(&bytes, &registry).unwrap(), ops);
    bytes.push(0);
    assert!(decode::<PolicyOps>(&bytes, &registry).is_err());
}

/// A branch that this build does not know is an error, never another branch.
#[test]
fn an_operation_that_a_newer_build_has_is_not_read() {
    let added = r#"{"type": "record", "name": "DropTeam", "fields": [{"name": "id", "type": "Uuid"}]}"#;
    let with_branch = |schema: String| {
        let (branches, end) = schema.rsplit_once("        ]").unwrap();
        format!("{branches}, {added} ]{end}")
    };
    let ops = PolicyOps { ops: vec![Operation::DropAll {}] };
    let (mut bytes, registry) = written_by_a_newer_build(&ops, with_branch);
    assert_eq!(decode::<PolicyOps>(&bytes, &registry).unwrap(), ops);
    let unknown = u8::try_from(every_operation().len() * 2).unwrap();
    let at = bytes.len() - 2;
    bytes.splice(at..at + 1, [unknown].into_iter().chain([7; 16]));
    assert!(matches!(decode::<PolicyOps>(&bytes, &registry), Err(CodecError::Invalid { .. })));
}

/// `record` as a build wrote it whose schema has one more field, and what `change` makes of it.
fn written_by_a_newer_build<R: Record>(record: &R, change: impl Fn(String) -> String) -> (Vec<u8>, SchemaRegistry) {
    let field = r#""fields": [{"name": "weight", "type": "int", "default": 0},"#;
    let newer = change(R::schema().text.replacen(r#""fields": ["#, field, 1));
    let compiled = CompiledSchema::parse(&newer).unwrap();
    let mut bytes = encode(record).unwrap();
    bytes.splice(2..10, compiled.fingerprint);
    bytes.insert(10, 0x02);
    let registry = SchemaRegistry::default();
    let entry = SchemaEntry { fingerprint: compiled.fingerprint, sha256: compiled.sha256, schema: newer };
    registry.learn(&entry).unwrap();
    (bytes, registry)
}

/// What a writer one release ahead may do: a new field with a default, and an old one gone.
#[test]
fn a_newer_writer_is_read_through_its_published_schema() {
    let (bytes, registry) = written_by_a_newer_build(&entity_event(), |schema| schema);
    let unknown = decode::<EntityEvent>(&bytes, &SchemaRegistry::default());
    assert!(matches!(unknown, Err(CodecError::UnknownSchema { .. })));
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
