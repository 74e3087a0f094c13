//! Who may do what at a region's Kafka.
//!
//! [`rules`] computes it without I/O: the services' rights from `infra/topics.toml`, those of the mirrors on either side,
//! and those of external producers. [`enforce`] applies it to a cluster: these passwords and exactly these rights. [`limit`] sets
//! how much of it external producers may use.

mod binding;
mod credential;
mod enforce;
mod error;
mod native;
mod quota;
pub mod rules;

pub use binding::{AclOperation, AclPattern, AclResource, Binding, ResourceKind};
pub use credential::Credential;
pub use enforce::{Changed, enforce, forget};
pub use error::AccessError;
pub use quota::{Quota, limit};
