//! What the tests with a mock cluster share.

pub(crate) mod raw;

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{Offset, TopicPartitionList};
use sqlx::PgPool;
use writ_kafka::Connection;

use crate::consumer::{ConsumerConfig, Subscription};
use crate::{ConsumedRecord, Outgoing};

/// No condition takes longer, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) type Cluster = MockCluster<'static, DefaultProducerContext>;

/// One broker with `topics`.
pub(crate) fn cluster(topics: &[(&str, i32)]) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    topics.iter().for_each(|(topic, partitions)| cluster.create_topic(topic, *partitions, 1).unwrap());
    cluster
}

/// A consumer of the local topic `t`.
pub(crate) fn config(kafka: Connection) -> ConsumerConfig {
    ConsumerConfig {
        kafka,
        client_id: "test".to_owned(),
        region: "eu".parse().unwrap(),
        regions: Vec::new(),
        topics: vec![Subscription::local("t")],
        gathering: Duration::ZERO,
    }
}

/// A record with a key, a value and an id.
pub(crate) fn outgoing(topic: &str, key: &str, value: &str) -> Outgoing {
    Outgoing {
        topic: topic.to_owned(),
        key: Some(key.as_bytes().to_vec()),
        partition: None,
        headers: [
            ("ce_specversion", "1.0"),
            ("ce_id", value),
            ("ce_type", "t"),
            ("ce_source", "s"),
            ("content-type", "c"),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .to_vec(),
        value: Some(value.as_bytes().to_vec()),
        measured_from: None,
    }
}

/// A record at a place of the log.
pub(crate) fn consumed(topic: &str, partition: i32, offset: i64) -> ConsumedRecord {
    let Outgoing { key, headers, value, .. } = outgoing(topic, "a", &offset.to_string());
    let timestamp = writ_contract::Timestamp(1);
    ConsumedRecord { topic: topic.to_owned(), partition, offset, timestamp, key, headers, value }
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, reached).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Number of rows that `query` counts.
pub(crate) async fn count(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

/// Offset of the next record of partition 0.
pub(crate) fn high_watermark(cluster: &Cluster, topic: &str) -> i64 {
    let consumer: BaseConsumer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    consumer.fetch_watermarks(topic, 0, DEADLINE).unwrap().1
}

/// The first `count` records of a topic, all partitions together. Blocks: what is read must be there.
pub(crate) fn read(cluster: &Cluster, topic: &str, partitions: i32, count: usize) -> Vec<ConsumedRecord> {
    let consumer: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("group.id", "test")
        .set("fetch.wait.max.ms", "50")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let deadline = std::time::Instant::now() + DEADLINE;
    let mut records = Vec::new();
    while records.len() < count {
        assert!(std::time::Instant::now() < deadline, "{} of {count} records", records.len());
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            records.push(ConsumedRecord::of(&message));
        }
    }
    records
}
