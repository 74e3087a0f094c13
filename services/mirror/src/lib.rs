//! Watches the MirrorMaker 2 of a region, which nobody can ask: its tasks by the states that Connect keeps in Kafka, each
//! source by its heartbeats. When the mirror stands still, a file asks whoever runs it to start it again.

mod beat;
mod metrics;
pub mod restart;
pub mod sources;
mod task;
pub mod watch;

use writ_service::telemetry::Program;

/// The program, as telemetry knows it.
pub const PROGRAM: Program = Program::new("writ-mirror", metrics::METRICS);
