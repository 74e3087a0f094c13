//! The regional read model of policies and the decision API.

pub mod authzen;
pub mod decisions;
pub mod freshness;
pub mod http;
pub mod index;
pub mod metrics;
pub mod read_model;
pub mod settings;
pub mod trace;

use writ_service::telemetry::Program;

/// The program, as telemetry knows it. For each change there are thousands of questions to the read API.
pub const PROGRAM: Program =
    Program { high_volume_routes: Some("/access/v1/"), ..Program::new("writ-projector", metrics::METRICS) };

#[cfg(test)]
mod testing;
