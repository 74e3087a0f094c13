//! What a batch of records changes: worked out in memory, then written in one transaction.

use sqlx::PgConnection;
use tracing::Span;
use writ_contract::OrganizationId;
use writ_log::park::{self, Parked};
use writ_log::{ConsumedRecord, fail_span};
use writ_policy::Delta;

use crate::{SharedIndex, store};

/// What a batch of records changes.
#[derive(Debug, Default)]
pub struct ChainEffects<T> {
    /// Of chains, in the order in which they were made.
    pub deltas: Vec<Delta>,
    /// Records that cannot be processed now.
    pub parked: Vec<(ConsumedRecord, Park)>,
    /// Ids of parked records that were processed after all.
    pub resumed: Vec<i64>,
    /// One a record; they end when the effects are committed.
    pub spans: Vec<Span>,
    /// What else the service writes.
    pub own: T,
}

/// Why a record is parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Park {
    /// The organization whose later records are parked, too.
    pub organization: OrganizationId,
    /// For operators.
    pub reason: String,
}

impl<T> ChainEffects<T> {
    /// Processes a record. One that cannot be processed is parked.
    pub fn add(
        &mut self,
        record: &ConsumedRecord,
        process: impl FnOnce(&ConsumedRecord, &mut Self) -> Result<(), Park>,
    ) {
        if let Err(park) = self.follow(record, process) {
            self.park(record, park);
        }
    }

    /// Parks a record.
    pub fn park(&mut self, record: &ConsumedRecord, park: Park) {
        metrics::counter!("writ_records_kept_total", "topic" => record.topic.clone()).increment(1);
        self.parked.push((record.clone(), park));
    }

    fn follow(
        &mut self,
        record: &ConsumedRecord,
        process: impl FnOnce(&ConsumedRecord, &mut Self) -> Result<(), Park>,
    ) -> Result<(), Park> {
        let span = record.span();
        let outcome = span.in_scope(|| process(record, self));
        if outcome.is_err() {
            fail_span(&span, "kept");
        }
        self.spans.push(span);
        outcome
    }

    /// Resumes the parked chains of an organization and processes its parked records again, in order: an earlier build
    /// could not. What still cannot be processed stays parked.
    pub fn retry(
        &mut self,
        index: &SharedIndex,
        organization: OrganizationId,
        parked: Vec<Parked>,
        mut process: impl FnMut(&ConsumedRecord, &mut Self) -> Result<(), Park>,
    ) {
        self.deltas.extend(resume(index, organization));
        for Parked { id, record, .. } in parked {
            if self.follow(&record, &mut process).is_ok() {
                self.resumed.push(id);
            }
        }
    }

    /// Writes all but [`own`](Self::own), in the transaction that records how far the log was read.
    pub async fn write(&self, tx: &mut PgConnection) -> Result<(), sqlx::Error> {
        store::write(tx, &self.deltas).await?;
        for (record, Park { organization, reason }) in &self.parked {
            if !park::append(tx, record, *organization, reason).await? {
                tracing::error!(%organization, topic = record.topic, "too much of an organization is parked: not kept");
                metrics::counter!("writ_records_lost_total", "topic" => record.topic.clone()).increment(1);
            }
        }
        if self.resumed.is_empty() { Ok(()) } else { park::delete(tx, &self.resumed).await }
    }
}

/// Resumes the parked chains of an organization.
fn resume(index: &SharedIndex, organization: OrganizationId) -> Vec<Delta> {
    index.write(|index| {
        let chains: Vec<_> = index.heads_of(organization).map(|standing| standing.head.chain).collect();
        chains.iter().filter_map(|chain| index.resume(chain)).collect()
    })
}

/// The organization of a record of an internal topic. Without one there is nobody to park, and nobody but a stranger
/// writes such a record: it is logged, counted and skipped.
pub fn organization_of(record: &ConsumedRecord) -> Option<OrganizationId> {
    let organization = record.organization();
    if organization.is_none() {
        let ConsumedRecord { topic, partition, offset, .. } = record;
        tracing::error!(topic, partition, offset, "a record without an organization");
        metrics::counter!("writ_unattributable_records_total", "topic" => topic.clone()).increment(1);
    }
    organization
}

#[cfg(test)]
mod tests;
