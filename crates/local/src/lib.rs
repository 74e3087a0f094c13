//! A local cluster of regions made of real parts: Kafka, MirrorMaker 2, PostgreSQL and the services, each an ordinary
//! process that outlives the command that started it.
//!
//! [`Cluster::open`] reads or creates the description of a cluster, [`Cluster::up`] starts it, [`Cluster::down`] stops
//! it. [`Cluster::kill`] and [`Cluster::start`] are for tests of failures.
//!
//! Each layer uses only those below it:
//!
//! | layer | what |
//! |---|---|
//! | `operations` | what commands do with a cluster: up, down, status, producers |
//! | `containers` | the same cluster in the containers of `docker-compose.yml` |
//! | `cluster` | its description: regions, ports, secrets, producers, and the addresses that follow |
//! | `parts` | how each part of a region is prepared, started and checked |
//! | `process` | processes: started, found again, stopped |
//! | `region`, `home` | names, ports and folders |

mod cluster;
mod containers;
mod error;
mod home;
mod lock;
mod operations;
mod parts;
mod process;
mod progress;
mod region;

pub use cluster::file::DEMO_PRODUCER;
pub use cluster::secrets::Secrets;
pub use cluster::{Cluster, Options};
pub use error::{Error, Result};
pub use home::{Home, within_reach};
pub use nix::sys::signal::Signal;
pub use operations::UpOptions;
pub use operations::status::PartStatus;
pub use parts::prerequisites;
pub use parts::temporary::TemporaryPostgres;
pub use process::supervisor::is_free;
pub use progress::{Progress, ProgressStep, seconds};
pub use region::ports::Ports;
pub use region::{LocalRegion, Part};
pub use writ_provision::Service;
