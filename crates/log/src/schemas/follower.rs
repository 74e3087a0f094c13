//! Learns the schemas of all writers, in all regions.

use tokio::task::JoinSet;
use writ_contract::schema::SchemaEntry;
use writ_contract::{SchemaRegistry, decode};
use writ_kafka::topics;

use super::FollowError;
use crate::ConsumedRecord;
use crate::consumer::{ConsumerConfig, ConsumerHandle, ReadError, Reader, Subscription};
use crate::loops::LoopTurns;

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
        let following = Following { config, handle: handle.clone(), registry };
        let mut task = JoinSet::new();
        task.spawn(following.run(reader));
        Ok(Self { handle, _task: task })
    }

    /// Progress, and reasons to wait. A service reads other topics only after this has caught up, because it needs the
    /// schemas of what it reads.
    pub fn handle(&self) -> ConsumerHandle {
        self.handle.clone()
    }
}

struct Following {
    config: ConsumerConfig,
    handle: ConsumerHandle,
    registry: SchemaRegistry,
}

impl Following {
    /// Learns until the client is unusable; the loop then no longer turns, which `/readyz` shows.
    async fn run(self, mut reader: Reader) {
        let turns = LoopTurns::new(&format!("consumer/{}", self.config.client_id));
        let error = loop {
            match self.learn_all(&mut reader, &turns).await {
                ReadError::Stale(stale) => self.handle.starts_over(&stale),
                error => break error,
            }
            reader = match Reader::start(&self.config, Vec::new(), self.handle.clone()) {
                Ok(reader) => reader,
                Err(error) => break error.into(),
            };
        };
        tracing::error!(%error, "no longer learning schemas");
        // Keeps `turns`, so that its age is seen.
        std::future::pending().await
    }

    async fn learn_all(&self, reader: &mut Reader, turns: &LoopTurns) -> ReadError {
        loop {
            match reader.next(turns).await {
                Ok(batch) => {
                    batch.iter().for_each(|record| learn(record, &self.registry));
                    reader.committed(&batch);
                }
                Err(error) => return error,
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
