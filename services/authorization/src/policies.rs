//! The projection: events of this region in, change sets of its chains out.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::watch;
use tracing::Span;
use writ_chains::{ChainEffects, Park, SharedIndex};
use writ_contract::identity_event::Watermark;
use writ_contract::{ChainId, OrganizationId, Record as _, Region, SchemaRegistry, Stream, Timestamp};
use writ_kafka::{ProducerScopes, topics};
use writ_log::consumer::Projection;
use writ_log::outbox::{Appended, Handover};
use writ_log::park::Parked;
use writ_log::{ConsumedRecord, Outgoing};

use crate::directory::{self, Directory, Listed};
use crate::entity_events::unprocessable_entity_event;
use crate::identity_history::IdentityHistory;
use crate::inbound;
use crate::store::answered::{Answered, EventKey, REMEMBERED, Remembered};
use crate::store::{self, Memory};

/// Time of the log between two looks for events that cannot come again.
const BETWEEN_FORGETTING: Duration = Duration::from_secs(3_600);

/// What a batch of records changes.
pub type PolicyEffects = ChainEffects<EventAnswers>;

/// What a batch changes besides chains.
#[derive(Debug, Default)]
pub struct EventAnswers {
    /// Change sets and dead letters, in order.
    pub outgoing: Vec<Outgoing>,
    /// Entity events that were accepted, in order.
    pub answered: Vec<Answered>,
    /// New entries of the directory.
    pub listed: BTreeMap<OrganizationId, Listed>,
    /// Histories of the identity events, of the organizations that have new ones.
    pub histories: BTreeMap<OrganizationId, IdentityHistory>,
    /// The events that are remembered now.
    pub(crate) remembered: Vec<EventKey>,
    /// The entries before, of the same organizations as in `listed`.
    pub(crate) listed_before: BTreeMap<OrganizationId, Option<Listed>>,
    /// The histories before, of the same organizations as in `histories`.
    pub(crate) histories_before: BTreeMap<OrganizationId, IdentityHistory>,
}

/// Turns the events of this region into change sets. One task owns it; [`Policies::split`] makes one of it for each kind of
/// event.
pub struct Policies {
    pub(crate) region: Region,
    /// Schemas of other writers.
    pub(crate) schemas: SchemaRegistry,
    /// What entity producers may speak for now.
    pub(crate) scopes: watch::Receiver<ProducerScopes>,
    pub(crate) index: SharedIndex,
    /// The organizations that exist.
    pub(crate) directory: Directory,
    /// Accepted entity events.
    pub(crate) answered: HashMap<EventKey, Remembered>,
    /// When events that cannot come again were last forgotten, by the clock of the log.
    forgotten_at: Timestamp,
    pub(crate) histories: HashMap<OrganizationId, IdentityHistory>,
    /// Entities that an organization may have, deleted ones included.
    pub(crate) max_entities: usize,
    /// Where the publisher is handed what was committed.
    handover: Option<Handover>,
    /// Rows of the outbox of the transaction that was last tried.
    appended: Option<Appended>,
}

impl Policies {
    /// Continues from what is stored.
    pub fn new(
        region: Region,
        schemas: SchemaRegistry,
        scopes: watch::Receiver<ProducerScopes>,
        index: SharedIndex,
        Memory { answered, directory, histories }: Memory,
    ) -> Self {
        let forgotten_at = Timestamp(0);
        Self {
            region,
            schemas,
            scopes,
            index,
            directory,
            answered,
            forgotten_at,
            histories,
            max_entities: usize::MAX,
            handover: None,
            appended: None,
        }
    }

    /// The organizations that exist.
    pub fn directory(&self) -> Directory {
        self.directory.clone()
    }

    /// One for identity events and the directory, and one for entity events. They have no row and no memory in common that
    /// both change, so that a flood of one kind of event never delays the other.
    pub fn split(self) -> (Self, Self) {
        let entities = Self {
            region: self.region,
            schemas: self.schemas.clone(),
            scopes: self.scopes.clone(),
            index: self.index.clone(),
            directory: self.directory.clone(),
            answered: self.answered,
            forgotten_at: self.forgotten_at,
            histories: HashMap::new(),
            max_entities: self.max_entities,
            handover: self.handover.clone(),
            appended: None,
        };
        (Self { answered: HashMap::new(), ..self }, entities)
    }

    /// Whether an entity event should be tried later: its organization is new, and not known here yet.
    pub fn must_wait(directory: &Directory, record: &ConsumedRecord) -> bool {
        inbound::key(record).is_some_and(|organization| directory.awaits(organization, Timestamp::now()))
    }

    /// Hands the records of committed change sets to the publisher.
    #[must_use]
    pub fn handing_to(self, handover: Handover) -> Self {
        Self { handover: Some(handover), ..self }
    }

    /// Refuses further entities of an organization that has `max` of them.
    #[must_use]
    pub fn allowing_entities(self, max: usize) -> Self {
        Self { max_entities: max, ..self }
    }

    /// Processes the parked records of an organization again, in order. What still cannot be processed stays parked.
    pub fn retry(&mut self, organization: OrganizationId, parked: Vec<Parked>, effects: &mut PolicyEffects) {
        let index = self.index.clone();
        effects.retry(&index, organization, parked, |record, effects| self.process(record, effects));
    }

    fn process(&mut self, record: &ConsumedRecord, effects: &mut PolicyEffects) -> Result<(), Park> {
        if record.topic == topics::IDENTITY_EVENTS {
            return self.identity_event(record, effects);
        }
        if record.base_topic() == topics::ORGANIZATIONS {
            self.take_up(record, effects);
            return Ok(());
        }
        match topics::entity_producer(&record.topic) {
            Some(producer) => self.entity_event(&producer, record, effects),
            None => {
                // Its name is not one that provisioning gives, so it has no dead-letter topic.
                tracing::error!(topic = record.topic, "a record of a topic that belongs to no producer");
                Ok(())
            }
        }
    }

    /// Takes an entry of the directory up. One that cannot be read lists nothing.
    fn take_up(&self, record: &ConsumedRecord, effects: &mut PolicyEffects) {
        let Some((organization, listed)) = directory::entry(record, record.origin(self.region), &self.schemas) else {
            let ConsumedRecord { topic, partition, offset, .. } = record;
            tracing::warn!(topic, partition, offset, "not an entry of the directory by the organization's home");
            metrics::counter!("writ_ignored_directory_entries_total").increment(1);
            return;
        };
        if let Some(before) = self.directory.take_up(organization, listed) {
            effects.own.listed_before.entry(organization).or_insert(before);
            effects.own.listed.insert(organization, listed);
        }
    }

    /// Forgets events that cannot come again, about once an hour of the log's time.
    fn forget_old(&mut self, now: Timestamp) {
        if now.since(self.forgotten_at) < BETWEEN_FORGETTING {
            return;
        }
        self.forgotten_at = now;
        self.answered.retain(|_, event| now.since(event.at) < REMEMBERED);
    }

    pub(crate) fn chain_id(&self, organization: OrganizationId, stream: Stream) -> ChainId {
        ChainId { organization, origin: self.region, stream }
    }
}

impl Projection for Policies {
    type Effects = PolicyEffects;

    fn plan_one(&mut self, record: &ConsumedRecord, effects: &mut PolicyEffects) {
        if !is_watermark(record) {
            effects.add(record, |record, effects| self.process(record, effects));
        }
    }

    fn take_back(&mut self, effects: PolicyEffects) {
        self.index.take_back(effects.deltas);
        self.histories.extend(effects.own.histories_before);
        for key in effects.own.remembered {
            self.answered.remove(&key);
        }
        for (organization, before) in effects.own.listed_before {
            self.directory.put_back(organization, before);
        }
    }

    fn set_aside(&mut self, record: &ConsumedRecord, reason: &str, effects: &mut PolicyEffects) {
        if record.topic == topics::IDENTITY_EVENTS {
            self.unprocessable_identity_event(record, reason, effects);
        } else if topics::entity_producer(&record.topic).is_some() {
            unprocessable_entity_event(record, reason, effects);
        }
    }

    async fn persist(&mut self, tx: &mut PgConnection, effects: &PolicyEffects) -> Result<(), sqlx::Error> {
        self.appended = Some(store::write(tx, effects).await?);
        Ok(())
    }

    fn spans(effects: &PolicyEffects) -> &[Span] {
        &effects.spans
    }

    fn committed(&mut self, effects: PolicyEffects) {
        if let Some(last) = effects.own.answered.last() {
            self.forget_old(last.at);
        }
        if let (Some(handover), Some(appended)) = (&self.handover, self.appended.take()) {
            handover.committed(appended);
        }
    }
}

/// Watermarks change no policy.
fn is_watermark(record: &ConsumedRecord) -> bool {
    record.topic == topics::IDENTITY_EVENTS && record.header("ce_type") == Some(Watermark::TYPE)
}

#[cfg(test)]
mod tests;
