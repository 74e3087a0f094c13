//! OpenID AuthZEN Authorization API 1.0: what a client may ask and what it is told.
//!
//! Pure: a body's JSON becomes questions here, and decisions become answers.

mod answer;
mod question;
mod reader;

pub use answer::{Answer, Answers};
pub use question::{Evaluation, Evaluations, Request, Said, Semantic};
pub use reader::Invalid;

#[cfg(test)]
mod tests;
