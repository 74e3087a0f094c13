//! Learns the schemas of all writers, in all regions.

use tokio::task::JoinSet;
use writ_contract::schema::SchemaEntry;
use writ_contract::{SchemaRegistry, decode};
use writ_kafka::topics;

use super::FollowError;
use crate::ConsumedRecord;
use crate::consumer::{ConsumerConfig, ConsumerHandle, Reader, Subscription};

/// Reads the `schemas` topics from the beginning, until it is dropped.
pub struct Follower {
    handle: ConsumerHandle,
    _task: JoinSet<()>,
}

impl Follower {
    /// Starts to read into `registry`, from the cluster that `consumer` reads.
    ///
    /// # Errors
    /// If the settings are invalid.
    pub fn start(consumer: &ConsumerConfig, registry: SchemaRegistry) -> Result<Self, FollowError> {
        let config = ConsumerConfig {
            client_id: format!("{}-schemas", consumer.client_id),
            topics: vec![Subscription::everywhere(topics::SCHEMAS)],
            ..consumer.clone()
        };
        let handle = ConsumerHandle::new(&config.client_id);
        let reader = Reader::start(&config, Vec::new(), handle.clone())?;
        let mut task = JoinSet::new();
        task.spawn(learn_all(reader, registry));
        Ok(Self { handle, _task: task })
    }

    /// Progress, and reasons to wait. A service reads other topics only after this has caught up, because it needs the
    /// schemas of what it reads.
    pub fn handle(&self) -> ConsumerHandle {
        self.handle.clone()
    }
}

async fn learn_all(mut reader: Reader, registry: SchemaRegistry) {
    loop {
        match reader.next().await {
            Ok(batch) => {
                batch.iter().for_each(|record| learn(record, &registry));
                reader.committed(&batch);
            }
            Err(error) => {
                tracing::error!(%error, "no longer learning schemas");
                return;
            }
        }
    }
}

fn learn(record: &ConsumedRecord, registry: &SchemaRegistry) {
    let Some(value) = &record.value else { return };
    let learned = decode::<SchemaEntry>(value, registry)
        .map_err(|error| error.to_string())
        .and_then(|entry| registry.learn(&entry).map_err(|error| error.to_string()));
    if let Err(error) = learned {
        tracing::error!(topic = record.topic, offset = record.offset, error, "not a schema");
    }
}
