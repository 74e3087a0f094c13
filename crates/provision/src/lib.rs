//! Provisions a region: topics, principals and access rights at its Kafka; roles, databases and tables in its
//! PostgreSQL; certificates for its brokers.
//!
//! Servers are given by address and credentials, so it makes no difference whether they are managed, run in containers or
//! run on this machine. Every step can be repeated: it creates what is missing and corrects what differs.

pub mod certificates;
mod error;
mod files;
mod kafka;
mod password;
mod postgres;
mod service;
mod settings;

pub use error::{Error, Result};
pub use files::{create_folder, write_private};
pub use kafka::{KafkaPlan, KafkaReport, principals, provision_kafka, remove_principal};
pub use password::random_password;
pub use postgres::{PostgresPlan, migrate, provision_postgres, roles};
pub use service::Service;
pub use settings::RegionSettings;
