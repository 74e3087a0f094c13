//! The `schemas` topic: every writer publishes its schemas, and every reader learns those of the others.

mod follower;

use rdkafka::error::KafkaError;
use writ_contract::schema::SchemaEntry;
use writ_contract::{CodecError, CompiledSchema};
use writ_kafka::topics;

use crate::producer::SendError;
use crate::{LogProducer, Outgoing};

pub use follower::Follower;

/// Schemas could not be published.
#[derive(Debug, thiserror::Error)]
pub enum SchemaPublishError {
    /// An entry could not be encoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Kafka rejected an entry.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Schemas cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The settings are invalid.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
}

/// Publishes the schemas that the service `source` writes. Call this at each start, before the first record is written;
/// the topic is compacted. Waits while Kafka is unreachable.
///
/// # Errors
/// If Kafka rejects an entry.
pub async fn publish(
    producer: &LogProducer,
    source: &str,
    schemas: &[&CompiledSchema],
) -> Result<(), SchemaPublishError> {
    for schema in schemas {
        let entry = SchemaEntry { fingerprint: schema.fingerprint, sha256: schema.sha256, schema: schema.text.clone() };
        let key: String = schema.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        producer.send(Outgoing::keyed(topics::SCHEMAS, &key, source, &entry)?).await?;
    }
    Ok(())
}
