//! Turns what happened in this region into policy change sets, one for each event.

pub mod derive;
pub mod directory;
pub mod entities;
mod entity_events;
mod identity_events;
pub mod identity_history;
pub mod inbound;
pub mod metrics;
pub mod outgoing;
pub mod policies;
pub mod refusal;
pub mod scopes;
pub mod settings;
pub mod store;

use writ_service::telemetry::Program;

/// The program, as telemetry knows it.
pub const PROGRAM: Program = Program::new("writ-authorization", metrics::METRICS);

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
