//! A local cluster of regions from real parts: Kafka, MirrorMaker 2, PostgreSQL, the services,
//! each an ordinary process that outlives whoever started it.
//!
//! [`Cluster::open`] reads or makes the description of a cluster, [`Cluster::up`] makes it so,
//! [`Cluster::down`] ends it; [`Cluster::kill`] and [`Cluster::start`] are for those who want to
//! see it fail and mend.

mod access;
mod addresses;
mod archive;
mod cluster;
mod command;
mod containers;
mod docker;
mod down;
mod error;
mod holder;
mod home;
mod jaeger;
mod jvm;
mod kafka;
mod launch;
mod lock;
mod mirror;
mod mirror_watch;
mod part;
mod ports;
mod postgres;
pub mod prerequisites;
mod process;
mod producers;
mod progress;
mod prometheus;
mod readiness;
mod reserve;
mod secrets;
mod services;
mod status;
mod strays;
mod supervisor;
mod temporary;
mod tools;
mod up;

pub use cluster::{Cluster, LocalRegion, Options};
pub use error::{Error, Result};
pub use holder::holder_of;
pub use home::{Home, within_reach};
pub use nix::sys::signal::Signal;
pub use part::Part;
pub use ports::Ports;
pub use progress::{Progress, Step, seconds};
pub use secrets::Secrets;
pub use status::PartStatus;
pub use temporary::TemporaryPostgres;
pub use up::UpOptions;
pub use writ_provision::Service;
