//! OpenID AuthZEN Authorization API 1.0: what a client may ask and what it is told.
//!
//! Pure: a body's JSON becomes questions here, and decisions become answers.

mod answer;
mod question;
mod wire;

pub use answer::{AccessAnswer, AccessAnswers};
pub use question::{AccessEvaluation, AccessEvaluations, EvaluationsRequest, InvalidEvaluation};
pub use wire::{EvaluationBody, EvaluationsBody, Semantic};

#[cfg(test)]
mod tests;
