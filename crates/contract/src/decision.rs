//! What the read API decided.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Actor;
use crate::policy_change::Head;
use crate::record::record;
use crate::{OrganizationId, PrincipalId, Region, StoredText, Timestamp};

/// Decisions of one read API, in the order in which they were made: a record of its own for each would cost more than
/// the decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionBatch {
    /// Where they were made.
    pub region: Region,
    /// When the first was made.
    pub first_at: Timestamp,
    /// At most [`DecisionBatch::MAX_LENGTH`].
    pub decisions: Vec<DecisionRecord>,
}
record!(DecisionBatch, "DecisionBatch", "decision-batch.avsc");

impl DecisionBatch {
    /// Most decisions of a batch.
    pub const MAX_LENGTH: usize = 1_000;
}

/// One decision, for audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Names the decision.
    pub id: Uuid,
    /// Whose.
    pub organization: OrganizationId,
    /// When it was made.
    pub at: Timestamp,
    /// Who asked.
    pub requester: Actor,
    /// The principal that wants to act.
    pub subject: PrincipalId,
    /// What the subject wants to do.
    pub action: StoredText,
    /// On which type of entity.
    pub resource_type: StoredText,
    /// On which entity.
    pub resource_id: StoredText,
    /// Allowed or not.
    pub decision: bool,
    /// Why, as a code.
    pub reason: StoredText,
    /// The states it rests on.
    pub heads: Vec<Head>,
    /// Age of the view it rests on, in milliseconds; −1 when not known.
    pub age_ms: i64,
    /// The trace it belongs to.
    #[serde(default)]
    pub trace_id: Option<StoredText>,
    /// The share of decisions that is recorded.
    pub sample_rate: f32,
}
