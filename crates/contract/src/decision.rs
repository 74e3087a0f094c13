//! What the read API decided.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;
use crate::actor::Actor;
use crate::policy_change::Head;
use crate::record::record;

/// One decision, for audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Names the decision.
    pub id: Uuid,
    /// Whose.
    pub organization: Uuid,
    /// Where it was made.
    pub region: String,
    /// When it was made.
    pub at: Timestamp,
    /// Who asked.
    pub requester: Actor,
    /// Of whom it was asked.
    pub subject: Uuid,
    /// What the subject wants to do.
    pub action: String,
    /// On which type of entity.
    pub resource_type: String,
    /// On which entity.
    pub resource_id: String,
    /// Allowed or not.
    pub decision: bool,
    /// Why, as a code.
    pub reason: String,
    /// The states it rests on.
    pub heads: Vec<Head>,
    /// Age of the view it rests on, in milliseconds; −1 when not known.
    pub age_ms: i64,
    /// The trace it belongs to.
    #[serde(default)]
    pub trace_id: Option<String>,
    /// The share of decisions that is recorded.
    pub sample_rate: f32,
}
record!(DecisionRecord, "DecisionRecord", "decision-record.avsc");
