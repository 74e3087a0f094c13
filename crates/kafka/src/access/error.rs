//! Errors of access control.

use rdkafka::error::KafkaError;

use crate::wire::WireError;

/// Why the access of a cluster could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The client could not be created.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// Kafka refused the request.
    #[error("Kafka refused to {what}: {reason}")]
    Refused {
        /// The request.
        what: &'static str,
        /// Kafka's message.
        reason: String,
    },
    /// A broker could not be asked.
    #[error("Kafka: {0}")]
    Wire(#[from] WireError),
    /// A name contains a zero byte.
    #[error("a name contains a zero byte")]
    Name(#[from] std::ffi::NulError),
    /// The process is shutting down.
    #[error("interrupted")]
    Interrupted,
}
