//! What tests of this crate share: records as the log gives them.

use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::identity_event::{Change, Changes, IdentityEvent};
use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::{Record as Schema, SchemaRegistry, Timestamp, decode, encode};
use writ_kafka::topics;
use writ_log::{Envelope, Outgoing, Record};

use crate::policies::{Policies, SharedIndex};

pub(crate) const REGION: &str = "eu";

pub(crate) fn organization(number: u128) -> Uuid {
    Uuid::from_u128(0xACE_0000 + number)
}

/// A projection that has seen nothing, and its index.
pub(crate) fn policies() -> (Policies, SharedIndex) {
    let index = SharedIndex::default();
    (Policies::new(REGION, SchemaRegistry::default(), index.clone(), Vec::new()), index)
}

pub(crate) fn record<R: Schema>(topic: &str, organization: Uuid, id: &str, value: &R) -> Record {
    let envelope = Envelope { id: id.to_owned(), ..Envelope::new::<R>("urn:test") };
    let key = organization.to_string().into_bytes();
    Record {
        topic: topic.to_owned(),
        partition: 0,
        offset: 0,
        timestamp: Timestamp(1_000_000),
        headers: envelope.to_headers(Some(&key)),
        key: Some(key),
        value: Some(encode(value).unwrap()),
    }
}

pub(crate) fn identity(organization: Uuid, revision: i64, changes: Vec<Change>) -> Record {
    identity_with(organization, revision, changes, |_| {})
}

/// An identity event that was tampered with.
pub(crate) fn identity_with(
    organization: Uuid,
    revision: i64,
    changes: Vec<Change>,
    tamper: impl FnOnce(&mut IdentityEvent),
) -> Record {
    let mut event = IdentityEvent {
        organization,
        epoch: 1,
        revision,
        committed_at: Timestamp(1_000_000 + revision),
        actor: Actor::system("test"),
        cause: None,
        request_id: Some("request".to_owned()),
        features: 0,
        payload: encode(&Changes { changes }).unwrap(),
    };
    tamper(&mut event);
    record(topics::IDENTITY_EVENTS, organization, &Uuid::now_v7().to_string(), &event)
}

pub(crate) fn entity(organization: Uuid, kind: EntityEventKind, id: &str, parent: Option<&str>) -> EntityEvent {
    EntityEvent {
        kind,
        organization,
        entity_type: "control_planes".to_owned(),
        entity_id: id.to_owned(),
        parent_type: parent.map(|_| "control_planes".to_owned()),
        parent_id: parent.map(str::to_owned),
        occurred_at: Timestamp(1),
    }
}

/// Puts `value` in place of the header `name`; none removes it.
pub(crate) fn set_header(record: &mut Record, name: &str, value: Option<&str>) {
    record.headers.retain(|(have, _)| have != name);
    record.headers.extend(value.map(|value| (name.to_owned(), value.as_bytes().to_vec())));
}

/// The change sets among records that go out, with their operations.
pub(crate) fn change_sets(outgoing: &[Outgoing]) -> Vec<(ChangeSet, PolicyOps)> {
    let sets = outgoing.iter().filter(|record| record.topic == topics::POLICY_CHANGES);
    sets.map(|record| {
        let set: ChangeSet = decode(record.value.as_deref().unwrap(), &SchemaRegistry::default()).unwrap();
        let ops = decode(&set.payload, &SchemaRegistry::default()).unwrap();
        (set, ops)
    })
    .collect()
}

/// The reasons of the dead letters among records that go out.
pub(crate) fn dead_letters(outgoing: &[Outgoing]) -> Vec<String> {
    let letters = outgoing.iter().filter(|record| record.topic == topics::ENTITY_EVENTS_DLQ);
    let reason = |record: &Outgoing| record.headers.iter().find(|(name, _)| name == "dlq_reason").cloned();
    letters.map(|letter| String::from_utf8(reason(letter).unwrap().1).unwrap()).collect()
}
