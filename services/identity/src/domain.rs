//! The rules of identity data, without I/O, SQL or HTTP.

pub mod access;
pub mod answer;
pub mod assignment;
pub mod filter;
pub mod fold;
pub mod labels;
pub mod organization;
pub mod page;
pub mod quota;
pub mod team;
pub mod text;
pub mod token;
pub mod user;

use std::borrow::Cow;

/// A rule that a value breaks. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Name of the rule, for programs: `required`, `max_length`, …
    pub rule: &'static str,
    /// Explanation for people.
    pub reason: Cow<'static, str>,
}

impl Violation {
    /// A broken rule.
    pub fn of(rule: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { rule, reason: reason.into() }
    }
}
