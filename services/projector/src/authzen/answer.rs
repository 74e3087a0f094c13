//! What a client is told.

use serde::Serialize;
use utoipa::ToSchema;

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Answer {
    /// Whether the subject may.
    pub decision: bool,
    /// Only where a question could not be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<AnswerContext>,
}

/// What else there is to say of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnswerContext {
    /// Why the item could not be decided.
    pub error: ItemError,
}

/// Why one item of a request was denied without being decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ItemError {
    /// The status it would have had as a request of its own.
    pub status: u16,
    /// For people.
    pub message: String,
}

/// The decisions of one request, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Answers {
    /// One an item, up to the one that ended the list.
    pub evaluations: Vec<Answer>,
}

impl Answer {
    /// A decision.
    pub fn decided(decision: bool) -> Self {
        Self { decision, context: None }
    }

    /// The denial of an item that could not be decided.
    pub fn refused(status: u16, message: String) -> Self {
        Self { decision: false, context: Some(AnswerContext { error: ItemError { status, message } }) }
    }
}
