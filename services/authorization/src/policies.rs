//! The projection: events of this region in, change sets of its chains out.

use std::collections::{BTreeMap, HashMap};

use sqlx::PgConnection;
use tokio::sync::watch;
use tracing::Span;
use writ_chains::{ChainEffects, Park, SharedIndex};
use writ_contract::identity_event::Watermark;
use writ_contract::{ChainId, OrganizationId, Record as _, Region, SchemaRegistry, Stream};
use writ_kafka::{ProducerScopes, topics};
use writ_log::consumer::Projection;
use writ_log::outbox::{Appended, Handover};
use writ_log::park::Parked;
use writ_log::{ConsumedRecord, Outgoing};

use crate::entity_events::unprocessable_entity_event;
use crate::identity_history::IdentityHistory;
use crate::store;
use crate::store::Memory;
use crate::store::answered::{Answered, EventKey, Outcome};

/// What a batch of records changes.
pub type PolicyEffects = ChainEffects<EventAnswers>;

/// What a batch changes besides chains.
#[derive(Debug, Default)]
pub struct EventAnswers {
    /// Change sets and dead letters, in order.
    pub outgoing: Vec<Outgoing>,
    /// Entity events that have their revision now, in order.
    pub answered: Vec<Answered>,
    /// Histories of the identity events, of the organizations that have new ones.
    pub histories: BTreeMap<OrganizationId, IdentityHistory>,
    /// What was remembered before of the events in `answered`, in the same order.
    pub(crate) outcomes_before: Vec<(EventKey, Option<Outcome>)>,
    /// The histories before, of the same organizations as in `histories`.
    pub(crate) histories_before: BTreeMap<OrganizationId, IdentityHistory>,
}

/// Turns the events of this region into change sets. One task owns it.
pub struct Policies {
    pub(crate) region: Region,
    /// Schemas of other writers.
    pub(crate) schemas: SchemaRegistry,
    /// What entity producers may speak for now.
    pub(crate) scopes: watch::Receiver<ProducerScopes>,
    pub(crate) index: SharedIndex,
    /// Entity events that have a revision.
    pub(crate) answered: HashMap<EventKey, Outcome>,
    pub(crate) histories: HashMap<OrganizationId, IdentityHistory>,
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
        Memory { answered, histories }: Memory,
    ) -> Self {
        Self { region, schemas, scopes, index, answered, histories, handover: None, appended: None }
    }

    /// Hands the records of committed change sets to the publisher.
    #[must_use]
    pub fn handing_to(self, handover: Handover) -> Self {
        Self { handover: Some(handover), ..self }
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
        match topics::entity_producer(&record.topic) {
            Some(producer) => self.entity_event(&producer, record, effects),
            None => {
                // Its name is not one that provisioning gives, so it has no dead-letter topic.
                tracing::error!(topic = record.topic, "a record of a topic that belongs to no producer");
                Ok(())
            }
        }
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
        for (key, before) in effects.own.outcomes_before.into_iter().rev() {
            match before {
                Some(outcome) => self.answered.insert(key, outcome),
                None => self.answered.remove(&key),
            };
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

    fn committed(&mut self, _: PolicyEffects) {
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
