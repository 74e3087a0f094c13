//! What a batch of records changes beyond the index in memory.

use tracing::Span;
use uuid::Uuid;
use writ_contract::ChainId;
use writ_contract::policy_change::ChangeSet;
use writ_log::Record;
use writ_policy::{Delta, Position};

use super::applied::Applied;

/// What a batch of records changes, to be written in one transaction.
#[derive(Debug, Default)]
pub struct Effects {
    /// Of chains, in the order in which they were applied.
    pub deltas: Vec<Delta>,
    /// Entity events whose outcome is applied.
    pub applied: Vec<Applied>,
    /// Change sets above a gap or a fork, and the regions they come from.
    pub staged: Vec<(String, ChangeSet)>,
    /// Chains whose staged change sets are applied through these places.
    pub unstaged: Vec<(ChainId, Position)>,
    /// Records that wait for a build that understands them.
    pub kept: Vec<Kept>,
    /// Ids of kept records that were processed after all.
    pub resumed: Vec<i64>,
    /// One a record; they end when the effects are committed.
    pub spans: Vec<Span>,
}

/// A record that this build cannot process, or one behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// As it was read.
    pub record: Record,
    /// Whose it is.
    pub organization: Uuid,
    /// Why it is kept.
    pub reason: String,
}
