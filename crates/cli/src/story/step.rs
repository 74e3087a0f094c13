//! One step of the story.

use std::time::Duration;

/// A request of the story and its outcome.
#[derive(Debug, Clone)]
pub struct Step {
    /// The request, in words.
    pub title: String,
    /// The outcome, in words.
    pub outcome: String,
    /// Time from the request to the answer.
    pub took: Duration,
    /// Whether the outcome is the expected one.
    pub right: bool,
    /// Id of its trace, if it is worth a look.
    pub trace: Option<String>,
}
