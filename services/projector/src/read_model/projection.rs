//! The projection: records of `policy-changes`, local and mirrored, one after the other.

use sqlx::PgConnection;
use tracing::Span;
use writ_chains::{ChainEffects, SharedIndex, organization_of};
use writ_contract::policy_change::{ChangeSet, Heartbeat};
use writ_contract::{ChainId, OrganizationId, Record, Region, Revision, SchemaRegistry};
use writ_log::ConsumedRecord;
use writ_log::consumer::Projection;
use writ_log::park::Parked;

use super::applied_events::{self, AppliedEvent};
use super::staged::{Staged, Step};
use crate::freshness::Freshness;

/// Applies change sets of all regions. One task owns it.
pub struct ReadModel {
    pub(super) region: Region,
    pub(super) schemas: SchemaRegistry,
    pub(crate) index: SharedIndex,
    pub(crate) freshness: Freshness,
    /// Change sets that wait for the ones below them.
    pub(super) staged: Staged,
}

/// What a batch of records changes.
pub type ReadModelEffects = ChainEffects<Outcomes>;

/// What a batch of records changes besides chains.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// Entity events whose outcome is applied.
    pub applied: Vec<AppliedEvent>,
    /// Change sets above a gap or a fork, and the regions they come from.
    pub staged: Vec<(Region, ChangeSet)>,
    /// Chains whose staged change sets are applied up to these revisions.
    pub unstaged: Vec<(ChainId, Revision)>,
    /// What was done to the staged change sets in memory.
    pub(super) steps: Vec<Step>,
}

impl ReadModel {
    /// Continues from what is stored. `index` is what requests read, and `freshness` has the readers that wait.
    pub fn new(
        region: Region,
        schemas: SchemaRegistry,
        index: SharedIndex,
        freshness: Freshness,
        staged: Vec<(Region, ChangeSet)>,
    ) -> Self {
        Self { region, schemas, index, freshness, staged: Staged::load(staged) }
    }

    /// Processes again what an earlier build could not of an organization: parked records in order, then what is staged
    /// above them. What still cannot be processed stays where it is.
    pub fn retry(&mut self, organization: OrganizationId, parked: Vec<Parked>, effects: &mut ReadModelEffects) {
        let index = self.index.clone();
        effects.retry(&index, organization, parked, |record, effects| self.change_set(record, effects));
        for chain in self.staged.chains_of(organization) {
            self.apply_staged(&chain, effects);
        }
    }
}

/// A heartbeat changes nothing.
fn is_heartbeat(record: &ConsumedRecord) -> bool {
    record.header("ce_type") == Some(Heartbeat::TYPE)
}

impl Projection for ReadModel {
    type Effects = ReadModelEffects;

    fn plan_one(&mut self, record: &ConsumedRecord, effects: &mut ReadModelEffects) {
        if !is_heartbeat(record) {
            effects.add(record, |record, effects| self.change_set(record, effects));
        }
    }

    fn take_back(&mut self, effects: ReadModelEffects) {
        self.index.take_back(effects.deltas);
        self.staged.take_back(effects.own.steps);
    }

    fn set_aside(&mut self, record: &ConsumedRecord, reason: &str, effects: &mut ReadModelEffects) {
        if let Some(organization) = organization_of(record) {
            let park = self.unreadable(record, organization, &reason, effects);
            effects.park(record, park);
        }
    }

    async fn persist(&mut self, tx: &mut PgConnection, effects: &ReadModelEffects) -> Result<(), sqlx::Error> {
        effects.write(tx).await?;
        applied_events::insert(tx, &effects.own.applied).await?;
        for (origin, set) in &effects.own.staged {
            writ_chains::stage(tx, *origin, set).await?;
        }
        for (chain, through) in &effects.own.unstaged {
            writ_chains::unstage(tx, chain, *through).await?;
        }
        Ok(())
    }

    fn spans(effects: &ReadModelEffects) -> &[Span] {
        &effects.spans
    }

    /// Only now can the outcome of an event be looked up.
    fn committed(&mut self, effects: ReadModelEffects) {
        metrics::gauge!("writ_staged_change_sets").set(self.staged.len() as f64);
        for applied in &effects.own.applied {
            self.freshness.decided(&applied.event, &applied.seen_in);
        }
    }
}
