//! What services that read the log have in common.

use std::time::Duration;

use serde_json::json;
use writ_contract::SchemaRegistry;
use writ_log::consumer::{ConsumerConfig, ConsumerHandle, Subscription};
use writ_log::schemas::{FollowError, Follower};

use crate::Service;

impl Service {
    /// A consumer of `topics`, of this region and of all others.
    pub fn consumer_config(&self, topics: Vec<Subscription>) -> ConsumerConfig {
        ConsumerConfig {
            kafka: self.common.kafka(),
            client_id: self.operations.name().to_owned(),
            region: self.common.region,
            regions: self.common.regions.clone(),
            topics,
            gathering: Duration::ZERO,
        }
    }

    /// What the consumer `name` of this service reads, if it is not the only one.
    pub fn second_consumer_config(&self, name: &str, topics: Vec<Subscription>) -> ConsumerConfig {
        let config = self.consumer_config(topics);
        ConsumerConfig { client_id: format!("{}-{name}", config.client_id), ..config }
    }

    /// Learns the schemas of all writers. Returns once those that are on the log are known; only then can other records
    /// be read. New ones are learned while the follower lives.
    ///
    /// # Errors
    /// If the settings of Kafka are invalid.
    pub async fn learn_schemas(&self, registry: &SchemaRegistry) -> Result<Follower, FollowError> {
        let follower = Follower::start(&self.consumer_config(Vec::new()), registry.clone())?;
        let handle = follower.handle();
        self.health.watch("schemas", move || handle.readiness());
        follower.handle().until_caught_up().await;
        Ok(follower)
    }

    /// Shows a consumer in `/status`, and under the name `check` in `/readyz`: ready once it has caught up.
    pub fn show_consumer(&self, check: &'static str, handle: ConsumerHandle) {
        self.show_second_consumer(check, "consumer", handle);
    }

    /// The same of one that is not the only one: `name` is its member in `/status`.
    pub fn show_second_consumer(&self, check: &'static str, name: &'static str, handle: ConsumerHandle) {
        let consumer = handle.clone();
        self.health.watch(check, move || consumer.readiness());
        self.status(name, move || std::future::ready(json!(handle.status())));
    }
}
