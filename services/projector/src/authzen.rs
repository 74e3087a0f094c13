//! OpenID AuthZEN Authorization API 1.0: what a client may ask and what it is told.
//!
//! Pure: a body's JSON becomes questions here, and decisions become answers.

mod answer;
mod question;
mod reader;

pub use answer::{AccessAnswer, AccessAnswers};
pub use question::{AccessEvaluation, AccessEvaluations, EvaluationsRequest, Semantic};
pub use reader::InvalidEvaluation;

#[cfg(test)]
mod tests;
