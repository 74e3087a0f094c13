//! The projection: events of this region in, change sets of its chains out.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use sqlx::PgConnection;
use tracing::Span;
use uuid::Uuid;

use writ_contract::identity_event::Watermark;
use writ_contract::{ChainId, Record as _, SchemaRegistry, Stream};
use writ_kafka::topics;
use writ_log::Record;
use writ_log::consumer::Projection;
use writ_log::park::Parked;
use writ_policy::{Delta, Index};

use crate::effects::{Effects, Kept};
use crate::store;
use crate::store::answered::EventKey;

/// The chains of this region, as far as they are written. Shared with those who show them.
pub type SharedIndex = Arc<RwLock<Index>>;

/// Why a record cannot be processed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keep {
    pub(crate) organization: Uuid,
    pub(crate) reason: String,
}

/// Turns the events of this region into change sets. One task owns it.
pub struct Policies {
    /// Code of this region.
    pub(crate) region: String,
    /// Schemas of other writers.
    pub(crate) schemas: SchemaRegistry,
    /// Entity events that have a revision.
    pub(crate) answered: HashSet<EventKey>,
    index: SharedIndex,
}

impl Policies {
    /// Continues from what is stored.
    pub fn new(region: &str, schemas: SchemaRegistry, index: SharedIndex, answered: Vec<EventKey>) -> Self {
        Self { region: region.to_owned(), schemas, index, answered: answered.into_iter().collect() }
    }

    /// Tries kept records again, in order. What still cannot be processed stays kept.
    pub fn retry(&mut self, parked: Vec<Parked>) -> Effects {
        let mut effects = Effects { deltas: self.resume(&parked), ..Effects::default() };
        for Parked { id, record, .. } in parked {
            if self.follow(&record, &mut effects).is_ok() {
                effects.resumed.push(id);
            }
        }
        effects
    }

    /// Lets the chains of kept records move on.
    fn resume(&mut self, parked: &[Parked]) -> Vec<Delta> {
        let organizations: HashSet<Uuid> = parked.iter().map(|parked| parked.organization).collect();
        let chains = organizations.into_iter().flat_map(|organization| {
            [Stream::Identity, Stream::Entities].map(|stream| self.chain_id(organization, stream))
        });
        chains.filter_map(|chain| self.index().resume(&chain)).collect()
    }

    /// Processes one record of any topic.
    fn follow(&mut self, record: &Record, effects: &mut Effects) -> Result<(), Keep> {
        let span = record.span();
        let outcome = span.in_scope(|| match record.base_topic() {
            topics::IDENTITY_EVENTS => self.identity_event(record, effects),
            topics::ENTITY_EVENTS => self.entity_event(record, effects),
            other => {
                tracing::error!(topic = other, "a record of a topic that is not subscribed to");
                Ok(())
            }
        });
        if outcome.is_err() {
            writ_log::fail_span(&span, "kept");
        }
        effects.spans.push(span);
        outcome
    }

    pub(crate) fn chain_id(&self, organization: Uuid, stream: Stream) -> ChainId {
        ChainId { organization, origin: self.region.clone(), stream }
    }

    /// A panic while it was held has ended the process.
    pub(crate) fn index(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Projection for Policies {
    type Effects = Effects;

    fn plan(&mut self, batch: &[Record]) -> Effects {
        let mut effects = Effects::default();
        for record in batch.iter().filter(|record| !is_watermark(record)) {
            if let Err(Keep { organization, reason }) = self.follow(record, &mut effects) {
                effects.kept.push(Kept { record: record.clone(), organization, reason });
            }
        }
        effects
    }

    async fn persist(&mut self, tx: &mut PgConnection, effects: &Effects) -> Result<(), sqlx::Error> {
        store::write(tx, effects).await
    }

    fn spans(effects: &Effects) -> &[Span] {
        &effects.spans
    }

    fn committed(&mut self, effects: Effects) {
        for kept in &effects.kept {
            metrics::counter!("writ_records_kept_total", "topic" => kept.record.topic.clone()).increment(1);
        }
    }
}

/// Comes each second and changes no policy.
fn is_watermark(record: &Record) -> bool {
    record.base_topic() == topics::IDENTITY_EVENTS && record.header("ce_type") == Some(Watermark::TYPE)
}

#[cfg(test)]
#[path = "policies_tests.rs"]
mod tests;
