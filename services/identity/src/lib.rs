//! The system of record of organizations, users, teams, tokens and role assignments.
//!
//! A request goes from [`http`] through the rules of [`domain`] to [`store`], where one
//! transaction makes the change, takes the organization's next revision and puts the event into
//! the outbox. [`log`] brings it to Kafka.

pub mod app;
pub mod domain;
pub mod error;
pub mod http;
pub mod jobs;
pub mod log;
pub mod lookups;
pub mod metrics;
mod queues;
pub mod settings;
pub mod store;

use writ_service::telemetry::Program;

/// The program, as telemetry knows it.
pub const PROGRAM: Program = Program::new("writ-identity", metrics::METRICS);
