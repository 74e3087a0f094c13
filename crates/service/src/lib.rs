//! What all services share: configuration, telemetry, health, errors, shutdown and the database pool.
//!
//! A service's `main` is one call of [`run`], which reads the configuration, starts telemetry and
//! the operational routes, and hands a [`Service`] to the function that wires the parts together.

pub mod config;
mod consumer;
pub mod database;
pub mod extract;
pub mod health;
pub mod http;
mod loops;
pub mod metrics;
mod migrate;
pub mod openapi;
pub mod problem;
mod run;
mod shutdown;
pub mod telemetry;

pub use config::{BaseUrl, Common, ConfigError, Required, ServiceSettings};
pub use database::DatabaseUrl;
pub use extract::{Faults, Json, ListQuery, Path};
pub use health::{Health, ReadinessCheck};
pub use http::RequestId;
pub use migrate::{asked_to_migrate, migrate};
pub use problem::{InvalidParameter, Problem, ProblemBody};
pub use run::{Service, run};
