//! One step of the story, as it is told.

use std::time::Duration;

/// What was done or asked, and what came of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Who did or asked what.
    pub title: String,
    /// What came of it.
    pub outcome: String,
    /// From the request to the answer.
    pub took: Duration,
    /// Whether that is as it must be.
    pub right: bool,
    /// Id of its trace, if it is one to look at.
    pub trace: Option<String>,
}
