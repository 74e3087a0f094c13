//! The `schemas` topic: every writer publishes its schemas, every reader learns those of others.

mod follower;

use rdkafka::error::KafkaError;
use writ_contract::schema::SchemaEntry;
use writ_contract::{CodecError, CompiledSchema};

use crate::producer::SendError;
use crate::{Outgoing, Producer};
use writ_kafka::topics;

pub use follower::Follower;

/// Why schemas were not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// An entry could not be encoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Kafka refused an entry.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Why schemas cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The settings are wrong.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
}

/// Publishes the schemas that the service `source` writes. To be called at each start, before the
/// first record is written; the topic is compacted.
///
/// # Errors
/// When Kafka refuses; while it cannot be reached, this waits.
pub async fn publish(producer: &Producer, source: &str, schemas: &[&CompiledSchema]) -> Result<(), PublishError> {
    for schema in schemas {
        let entry = SchemaEntry { fingerprint: schema.fingerprint, sha256: schema.sha256, schema: schema.text.clone() };
        let key: String = schema.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        producer.send(Outgoing::keyed(topics::SCHEMAS, &key, source, &entry)?).await?;
    }
    Ok(())
}
