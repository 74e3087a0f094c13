//! Learns the schemas of all writers, in all regions.

use tokio::task::JoinSet;
use writ_contract::schema::SchemaEntry;
use writ_contract::{SchemaRegistry, decode};
use writ_kafka::Connection;
use writ_kafka::topics;

use super::FollowError;
use crate::ConsumedRecord;
use crate::consumer::{ConsumerConfig, ConsumerHandle, Reader, Subscription};

/// Where to read schemas.
#[derive(Debug, Clone)]
pub struct FollowerConfig {
    /// This region's cluster.
    pub kafka: Connection,
    /// Prefix of the client id, `<client_id>-schemas`.
    pub client_id: String,
    /// This region.
    pub region: String,
    /// All known regions.
    pub regions: Vec<String>,
}

/// Reads the `schemas` topics from the beginning, until it is dropped.
pub struct Follower {
    handle: ConsumerHandle,
    _task: JoinSet<()>,
}

impl Follower {
    /// Starts to read into `registry`.
    ///
    /// # Errors
    /// If the settings are invalid.
    pub fn start(config: &FollowerConfig, registry: SchemaRegistry) -> Result<Self, FollowError> {
        let config = config.consumer();
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

impl From<&ConsumerConfig> for FollowerConfig {
    /// The schemas of what a consumer reads.
    fn from(config: &ConsumerConfig) -> Self {
        let ConsumerConfig { kafka, client_id, region, regions, .. } = config.clone();
        Self { kafka, client_id, region, regions }
    }
}

impl FollowerConfig {
    fn consumer(&self) -> ConsumerConfig {
        ConsumerConfig {
            kafka: self.kafka.clone(),
            client_id: format!("{}-schemas", self.client_id),
            region: self.region.clone(),
            regions: self.regions.clone(),
            topics: vec![Subscription::everywhere(topics::SCHEMAS)],
        }
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
