//! Answers to evaluations.

use serde::Serialize;
use utoipa::ToSchema;

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessAnswer {
    /// Whether the subject may.
    pub decision: bool,
    /// Only if the question could not be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<AnswerContext>,
}

/// More about a decision.
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
    /// Explanation for people.
    pub message: String,
}

/// The decisions of one request, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessAnswers {
    /// One for each item, up to the one that ended the list.
    pub evaluations: Vec<AccessAnswer>,
}

impl AccessAnswer {
    /// A decision.
    pub fn decided(decision: bool) -> Self {
        Self { decision, context: None }
    }

    /// The denial of an item that could not be decided.
    pub fn refused(status: u16, message: String) -> Self {
        Self { decision: false, context: Some(AnswerContext { error: ItemError { status, message } }) }
    }
}
