//! What a batch of records changes: worked out in memory, then written in one transaction.

use tracing::Span;
use uuid::Uuid;
use writ_log::{Outgoing, Record};
use writ_policy::Delta;

use crate::store::answered::Answered;

/// What a batch of records changes.
#[derive(Debug, Default)]
pub struct Effects {
    /// Of chains, in the order in which they were made.
    pub deltas: Vec<Delta>,
    /// Change sets and dead letters, in order.
    pub outgoing: Vec<Outgoing>,
    /// Entity events that have their revision now.
    pub answered: Vec<Answered>,
    /// Records that wait for a build that understands them, or for the ones missing before them.
    pub kept: Vec<Kept>,
    /// Ids of kept records that were processed after all.
    pub resumed: Vec<i64>,
    /// One a record; they end when the effects are committed.
    pub spans: Vec<Span>,
}

/// A record that cannot be processed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// As it was read.
    pub record: Record,
    /// Whose it is.
    pub organization: Uuid,
    /// Why it is kept.
    pub reason: String,
}
