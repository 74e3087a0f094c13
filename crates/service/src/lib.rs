//! What every service has: configuration, telemetry, health, errors, shutdown, and a database for those that keep data.
//!
//! A service's `main` is one call of [`run`], which reads the configuration, starts telemetry and
//! the operational routes, and hands a [`Service`] to the function that wires the parts together.

pub mod config;
mod consumer;
pub mod database;
pub mod extract;
pub mod health;
pub mod http;
pub mod metrics;
mod migrate;
pub mod problem;
mod run;
pub mod shutdown;
pub mod telemetry;

pub use config::{BaseUrl, Common, ConfigError, Required, ServiceSettings};
pub use database::DatabaseUrl;
pub use extract::{Json, Path, Query};
pub use health::{Check, Health};
pub use http::RequestId;
pub use migrate::{asked_to_migrate, migrate};
pub use problem::{InvalidParameter, Problem};
pub use run::{Service, run};
