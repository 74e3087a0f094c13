//! What tests of this crate share: records as the log gives them.

use std::collections::HashMap;

use tokio::sync::watch;
use uuid::Uuid;
use writ_chains::SharedIndex;
use writ_contract::actor::Actor;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::identity_event::{Change, Changes, IdentityEvent};
use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::{
    ChainId, Hash, OrganizationId, Record as Schema, Revision, SchemaRegistry, Stream, Timestamp, decode, encode,
};
use writ_kafka::{ProducerScopes, topics};
use writ_log::park::Parked;
use writ_log::{ConsumedRecord, Envelope, Outgoing};
use writ_policy::digest::history_digest;

use crate::directory::Listed;
use crate::policies::{Policies, PolicyEffects};
use crate::store::Memory;

pub(crate) const REGION: &str = "eu";
pub(crate) const PRODUCER: &str = "demo";
pub(crate) const ENTITY_EVENTS: &str = "entity-events-demo";

/// An organization whose home is [`REGION`].
pub(crate) fn organization(number: u32) -> OrganizationId {
    OrganizationId::from_parts(REGION.parse().unwrap(), 0xACE_0000, number)
}

pub(crate) fn chain(number: u32, stream: Stream) -> ChainId {
    ChainId { organization: organization(number), origin: REGION.parse().unwrap(), stream }
}

/// A projection that has seen nothing, and its index.
pub(crate) fn policies() -> (Policies, SharedIndex) {
    let index = SharedIndex::default();
    (remembering(index.clone(), Memory::default()), index)
}

/// A projection that continues from what was stored.
pub(crate) fn remembering(index: SharedIndex, memory: Memory) -> Policies {
    let (_, scopes) = watch::channel(scopes("\"all\"", "\"all\""));
    for number in [1, 2] {
        memory.directory.take_up(organization(number), Listed { revision: Revision::first_epoch(1), deleted: false });
    }
    Policies::new(REGION.parse().unwrap(), SchemaRegistry::default(), scopes, index, memory)
}

impl Policies {
    /// Processes parked records of one organization again.
    pub(crate) fn retry_all(&mut self, parked: Vec<Parked>) -> PolicyEffects {
        let mut effects = PolicyEffects::default();
        self.retry(parked[0].organization, parked, &mut effects);
        effects
    }
}

/// What [`PRODUCER`] may speak for.
pub(crate) fn scopes(organizations: &str, types: &str) -> ProducerScopes {
    ProducerScopes::parse(&format!("[producer.{PRODUCER}]\norganizations = {organizations}\ntypes = {types}")).unwrap()
}

pub(crate) fn record<R: Schema>(topic: &str, organization: OrganizationId, id: &str, value: &R) -> ConsumedRecord {
    let envelope = Envelope { id: id.to_owned(), ..Envelope::new::<R>("urn:test") };
    let key = organization.to_string().into_bytes();
    ConsumedRecord {
        topic: topic.to_owned(),
        partition: topics::partition_of(&key, 6),
        offset: 0,
        timestamp: Timestamp(1_000_000),
        headers: envelope.to_headers(Some(&key)),
        key: Some(key),
        value: Some(encode(value).unwrap()),
    }
}

/// The events of organizations, each with the digest of the one before.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdentityEvents {
    last: HashMap<OrganizationId, (Revision, Hash)>,
}

impl IdentityEvents {
    /// The next event of an organization.
    pub(crate) fn next(&mut self, organization: OrganizationId, changes: Vec<Change>) -> IdentityEvent {
        let (last, previous_digest) = self.last.get(&organization).copied().unwrap_or((Revision::START, Hash::ZERO));
        let payload = encode(&Changes { changes }).unwrap();
        let (revision, digest) = (last.next(), history_digest(&previous_digest, &payload));
        self.last.insert(organization, (revision, digest));
        IdentityEvent {
            organization,
            revision,
            previous_digest,
            digest,
            committed_at: Timestamp(1_000_000 + revision.number),
            actor: Actor::system("test"),
            cause: None,
            request_id: Some("request".parse().unwrap()),
            features: 0,
            payload,
        }
    }

    /// Its record.
    pub(crate) fn record(&mut self, organization: OrganizationId, changes: Vec<Change>) -> ConsumedRecord {
        written(&self.next(organization, changes))
    }
}

/// An identity event as a record.
pub(crate) fn written(event: &IdentityEvent) -> ConsumedRecord {
    record(topics::IDENTITY_EVENTS, event.organization, &Uuid::now_v7().to_string(), event)
}

pub(crate) fn entity(
    organization: OrganizationId,
    kind: EntityEventKind,
    id: &str,
    parent: Option<&str>,
) -> EntityEvent {
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

/// Puts `value` in place of the header `name`; `None` removes it.
pub(crate) fn set_header(record: &mut ConsumedRecord, name: &str, value: Option<&str>) {
    record.headers.retain(|(have, _)| have != name);
    record.headers.extend(value.map(|value| (name.to_owned(), value.as_bytes().to_vec())));
}

/// The change sets among outgoing records, with their operations.
pub(crate) fn change_sets(outgoing: &[Outgoing]) -> Vec<(ChangeSet, PolicyOps)> {
    let sets = outgoing.iter().filter(|record| record.topic == topics::POLICY_CHANGES);
    sets.map(|record| {
        let set: ChangeSet = decode(record.value.as_deref().unwrap(), &SchemaRegistry::default()).unwrap();
        let ops = decode(&set.payload, &SchemaRegistry::default()).unwrap();
        (set, ops)
    })
    .collect()
}

/// The reasons of the dead letters among outgoing records.
pub(crate) fn dead_letters(outgoing: &[Outgoing]) -> Vec<String> {
    let letters = outgoing.iter().filter(|record| record.topic == topics::dead_letter(ENTITY_EVENTS));
    let reason = |record: &Outgoing| record.headers.iter().find(|(name, _)| name == "dlq_reason").cloned();
    letters.map(|letter| String::from_utf8(reason(letter).unwrap().1).unwrap()).collect()
}
