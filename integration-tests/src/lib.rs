//! What whole-system tests need: one running cluster of three regions, clients for its doors, and
//! ways to look behind them.

pub mod access;
mod behind;
mod declared;
mod freeze;
mod mirror;
mod model;
mod organization;
mod prometheus;
mod raw;
mod system;
pub mod topic;
mod traces;
mod wait;

pub use declared::{Declared, PROGRAMS, declared, metrics_of};
pub use freeze::Frozen;
pub use model::expected_digest;
pub use organization::Organization;
pub use prometheus::Prometheus;
pub use raw::RawProducer;
pub use system::{COMMANDER, REGIONS, SERVICES, System};
pub use wait::{PATIENCE, until, until_within};
