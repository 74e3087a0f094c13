//! Records as they should be.

use writ_contract::actor::Actor;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::identity_event::{Change, Changes, IdentityEvent};
use writ_contract::organization::OrganizationEntry;
use writ_contract::policy_change::Operation;
use writ_contract::row::{
    Entity, EntityKey, Membership, OrganizationState, Principal, PrincipalKind, Token, TokenKind, Validity,
};
use writ_contract::{
    ChainId, Hash, OrganizationId, Record, Region, Revision, Stream, TeamId, Timestamp, TokenId, UserId, encode,
};
use writ_kafka::topics;
use writ_log::{ConsumedRecord, Envelope};
use writ_policy::digest::history_digest;
use writ_policy::{Header, Index};

/// Topic of the entity producer.
pub(crate) const ENTITY_EVENTS: &str = "entity-events-demo";
const AT: Timestamp = Timestamp(1_000_000);

/// The region that reads.
pub(crate) fn here() -> Region {
    "eu".parse().unwrap()
}

/// An organization whose home is the region that reads.
pub(crate) fn organization() -> OrganizationId {
    OrganizationId::from_parts(here(), 0xACE_0000, 1)
}

fn user() -> UserId {
    UserId::default()
}

fn record<R: Record>(topic: &str, id: &str, value: &R) -> ConsumedRecord {
    let envelope = Envelope { id: id.to_owned(), time: AT, ..Envelope::new::<R>("urn:fuzz") };
    let key = organization().to_string().into_bytes();
    ConsumedRecord {
        topic: topic.to_owned(),
        partition: topics::partition_of(&key, 6),
        offset: 0,
        timestamp: AT,
        headers: envelope.to_headers(Some(&key)),
        key: Some(key),
        value: Some(encode(value).unwrap()),
    }
}

/// All of them.
pub(crate) fn records() -> Vec<ConsumedRecord> {
    let mut all = identity_events();
    let entry = OrganizationEntry {
        organization: organization(),
        home_region: here(),
        state: OrganizationState::Active,
        revision: Revision::first_epoch(1),
        updated_at: AT,
    };
    all.push(record(topics::ORGANIZATIONS, "o", &entry));
    for (id, kind, entity, parent) in [
        ("1", EntityEventKind::Created, "a", None),
        ("2", EntityEventKind::Created, "b", Some("a")),
        ("3", EntityEventKind::Deleted, "a", None),
    ] {
        all.push(record(ENTITY_EVENTS, id, &entity_event(kind, entity, parent)));
    }
    all.extend(change_sets());
    all
}

/// An entity event.
pub(crate) fn entity_event(kind: EntityEventKind, entity: &str, parent: Option<&str>) -> EntityEvent {
    EntityEvent {
        kind,
        organization: organization(),
        entity_type: "control_planes".to_owned(),
        entity_id: entity.to_owned(),
        parent_type: parent.map(|_| "control_planes".to_owned()),
        parent_id: parent.map(str::to_owned),
        occurred_at: AT,
    }
}

/// A record of an entity producer in JSON.
pub(crate) fn json_record(value: &[u8]) -> ConsumedRecord {
    let mut json = record(ENTITY_EVENTS, "json", &entity_event(EntityEventKind::Created, "a", None));
    for (name, text) in &mut json.headers {
        if name == "content-type" {
            *text = b"application/json".to_vec();
        }
    }
    ConsumedRecord { value: Some(value.to_vec()), ..json }
}

fn identity_events() -> Vec<ConsumedRecord> {
    let mut previous_digest = Hash::ZERO;
    let changes = [
        Change::OrganizationCreated { owner: user() },
        Change::UserInvited { user: user() },
        Change::UserActivated { user: user() },
        Change::UserStateChanged { user: user(), active: false },
        Change::OrganizationDeleted {},
    ];
    let event = |(change, number): (Change, i64)| {
        let payload = encode(&Changes { changes: vec![change] }).unwrap();
        let digest = history_digest(&previous_digest, &payload);
        let event = IdentityEvent {
            organization: organization(),
            revision: Revision::first_epoch(number),
            previous_digest,
            digest,
            committed_at: AT,
            actor: Actor::system("fuzz"),
            cause: None,
            request_id: None,
            features: 0,
            payload,
        };
        previous_digest = digest;
        record(topics::IDENTITY_EVENTS, &number.to_string(), &event)
    };
    changes.into_iter().zip(1..).map(event).collect()
}

fn change_sets() -> Vec<ConsumedRecord> {
    let (mut source, team) = (Index::new(), TeamId::default());
    let key = |id: &str| EntityKey { entity_type: "control_planes".parse().unwrap(), entity_id: id.parse().unwrap() };
    let principal = |id, kind| Operation::PutPrincipal(Principal { id, kind, active: true });
    let token = Token {
        id: TokenId::default(),
        hash: Hash::ZERO,
        principal: user().into(),
        kind: TokenKind::Personal,
        expires_at: AT,
    };
    let membership = Membership { team, member: user().into(), validity: Validity::default() };
    let steps = [
        (Stream::Identity, vec![Operation::PutOrganization { state: OrganizationState::Active }]),
        (Stream::Identity, vec![principal(user().into(), PrincipalKind::User), Operation::PutToken(token)]),
        (Stream::Identity, vec![Operation::PutMembership(membership)]),
        (Stream::Entities, vec![Operation::PutEntity(Entity { key: key("a"), parent: None })]),
        (Stream::Entities, vec![Operation::PutEntity(Entity { key: key("b"), parent: Some(key("a")) })]),
        (Stream::Entities, vec![Operation::DropEntity(key("a"))]),
        (Stream::Identity, vec![Operation::DropAll {}]),
    ];
    let mut records = Vec::new();
    for (number, (stream, ops)) in steps.into_iter().enumerate() {
        let chain = ChainId { organization: organization(), origin: here(), stream };
        let revision = source.head(&chain).map_or(Revision::START, |head| head.revision).next();
        let actor = Actor::system("fuzz");
        let header = Header { revision, committed_at: AT, actor, cause: None, request_id: None, rejected: None };
        let (set, _) = source.seal(&chain, header, ops).unwrap();
        records.push(record(topics::POLICY_CHANGES, &format!("set {number}"), &set));
    }
    records
}
