//! The append-only record of what changed and what was decided.
//!
//! [`log`] reads everything that reaches this region, [`record`] says what is kept of it,
//! [`chain`] binds each organization's entries to one another, [`store`] appends them.

pub mod chain;
mod content;
pub mod log;
pub mod metrics;
pub mod record;
pub mod store;

use writ_service::telemetry::Program;

/// The program, as telemetry knows it.
pub const PROGRAM: Program = Program::new("writ-audit", metrics::METRICS);
