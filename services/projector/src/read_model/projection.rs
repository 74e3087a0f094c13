//! The projection: records of `policy-changes`, local and mirrored, one after the other.

use sqlx::PgConnection;
use tracing::Span;
use uuid::Uuid;
use writ_contract::policy_change::{ChangeSet, Heartbeat};
use writ_contract::{ChainId, Record as _, SchemaRegistry};
use writ_log::Record;
use writ_log::consumer::Projection;
use writ_log::park::Parked;
use writ_policy::Delta;

use super::effects::{Effects, Kept};
use super::staged::Staged;
use super::store;
use crate::freshness::Freshness;
use crate::index::SharedIndex;

/// Applies change sets of all regions. One task owns it.
pub struct ReadModel {
    /// Code of this region.
    pub(super) region: String,
    /// Schemas of other writers.
    pub(super) schemas: SchemaRegistry,
    /// What requests read.
    pub(super) index: SharedIndex,
    /// Who waits for what is applied here.
    pub(super) freshness: Freshness,
    /// Change sets that wait for the ones below them.
    pub(super) staged: Staged,
}

/// Why a record cannot be processed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keep {
    pub(super) organization: Uuid,
    pub(super) reason: String,
}

impl ReadModel {
    /// Continues from what is stored.
    pub fn new(
        region: &str,
        schemas: SchemaRegistry,
        index: SharedIndex,
        freshness: Freshness,
        staged: Vec<(String, ChangeSet)>,
    ) -> Self {
        Self { region: region.to_owned(), schemas, index, freshness, staged: Staged::load(staged) }
    }

    /// What requests read.
    pub fn shared_index(&self) -> SharedIndex {
        self.index.clone()
    }

    /// Who waits for what is applied here.
    pub fn freshness(&self) -> Freshness {
        self.freshness.clone()
    }

    /// Tries again what an earlier build did not understand: kept records in order, then what is
    /// staged behind them. What still cannot be processed stays where it is.
    pub fn retry(&mut self, parked: Vec<Parked>) -> Effects {
        let mut effects = Effects { deltas: self.resume(), ..Effects::default() };
        for Parked { id, record, .. } in parked {
            if self.follow(&record, &mut effects).is_ok() {
                effects.resumed.push(id);
            }
        }
        for chain in self.staged.chains() {
            self.apply_staged(&chain, &mut effects);
        }
        effects
    }

    /// Lets parked chains move on.
    fn resume(&mut self) -> Vec<Delta> {
        self.index.write(|index| {
            let chains: Vec<ChainId> = index.heads().map(|standing| standing.head.chain.clone()).collect();
            chains.iter().filter_map(|chain| index.resume(chain)).collect()
        })
    }

    fn follow(&mut self, record: &Record, effects: &mut Effects) -> Result<(), Keep> {
        let span = record.span();
        let outcome = span.in_scope(|| self.change_set(record, effects));
        if outcome.is_err() {
            writ_log::fail_span(&span, "kept");
        }
        effects.spans.push(span);
        outcome
    }
}

/// Comes each second and changes nothing.
fn is_heartbeat(record: &Record) -> bool {
    record.header("ce_type") == Some(Heartbeat::TYPE)
}

impl Projection for ReadModel {
    type Effects = Effects;

    fn plan(&mut self, batch: &[Record]) -> Effects {
        let mut effects = Effects::default();
        for record in batch.iter().filter(|record| !is_heartbeat(record)) {
            if let Err(Keep { organization, reason }) = self.follow(record, &mut effects) {
                metrics::counter!("writ_records_kept_total", "topic" => record.topic.clone()).increment(1);
                effects.kept.push(Kept { record: record.clone(), organization, reason });
            }
        }
        metrics::gauge!("writ_staged_change_sets").set(self.staged.len() as f64);
        effects
    }

    async fn persist(&mut self, tx: &mut PgConnection, effects: &Effects) -> Result<(), sqlx::Error> {
        store::write(tx, effects).await
    }

    fn spans(effects: &Effects) -> &[Span] {
        &effects.spans
    }

    /// Only now can the outcome of an event be looked up.
    fn committed(&mut self, effects: Effects) {
        effects.applied.iter().for_each(|applied| self.freshness.decided(&applied.event, &applied.seen_in));
    }
}
