//! A region's Kafka cluster: how to reach it, which topics it has, who may do what there.

pub mod access;
mod connection;
mod headers;
mod native;
mod producer;
mod scope;
pub mod topics;
pub mod wire;

pub use connection::{Connection, Login, MECHANISM};
pub use headers::headers;
pub use producer::{ExternalProducer, PRODUCER_PREFIX, ProducerKind};
pub use scope::{Allowed, ProducerScope, ProducerScopes};
