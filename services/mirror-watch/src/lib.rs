//! Monitors the MirrorMaker 2 of a region. MirrorMaker has no interface for that, so its tasks are followed by the states
//! that Connect writes to Kafka, and each source by its heartbeats. If mirroring stops, a file requests a restart from the
//! script that runs MirrorMaker.

mod beat;
mod metrics;
pub mod restart;
pub mod sources;
mod task;
pub mod watch;

use writ_service::telemetry::Program;

/// The program, as telemetry knows it.
pub const PROGRAM: Program = Program::new("writ-mirror-watch", metrics::METRICS);
