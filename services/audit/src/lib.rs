//! The append-only record of what changed and what was decided.
//!
//! [`log`] reads everything that reaches this region, [`entry`] says what is kept of it, [`hash_chain`] binds each
//! organization's entries to one another, [`store`] appends them.

mod delimited;
pub mod entry;
pub mod hash_chain;
pub mod log;
pub mod metrics;
mod payload;
pub mod settings;
pub mod store;

use writ_service::telemetry::Program;

/// The program, as telemetry knows it.
pub const PROGRAM: Program = Program::new("writ-audit", metrics::METRICS);
