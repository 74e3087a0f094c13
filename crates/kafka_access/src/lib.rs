//! Who may do what at a region's Kafka.
//!
//! [`rules`] says it, without I/O: what `infra/topics.toml` gives the services, what a mirror needs on either side, and
//! what an external producer may. [`enforce`] makes a cluster so: its principals have these passwords, and exactly
//! these rights.

mod binding;
mod enforce;
mod native;
mod producer;
pub mod rules;

pub use binding::{Binding, Operation, Pattern, Resource, ResourceKind};
pub use enforce::{AccessError, Changed, Credential, enforce, forget};
pub use producer::{InvalidName, PRODUCER_PREFIX, Producer, ProducerKind};
