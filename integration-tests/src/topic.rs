//! Reading and writing a topic as a test does.

use std::time::Duration;

use anyhow::{Context, Result};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ConfigSource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use uuid::Uuid;
use writ_contract::{OrganizationId, Record, encode};
use writ_kafka::Connection;

/// A record as a test looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// As text.
    pub key: String,
    /// As they were sent.
    pub value: Vec<u8>,
    /// Names and values, as text.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Everything a topic holds now, in no order across partitions.
///
/// # Errors
/// When the broker does not answer.
pub fn read_all(kafka: &Connection, topic: &str) -> Result<Vec<Seen>> {
    let consumer: BaseConsumer = kafka
        .client_config("test")
        .set("group.id", format!("test-{}", Uuid::now_v7()))
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()?;
    let timeout = Duration::from_secs(10);
    let metadata = consumer.fetch_metadata(Some(topic), timeout)?;
    let partitions = metadata.topics().first().context("no such topic")?.partitions();
    let mut assignment = TopicPartitionList::new();
    for partition in partitions {
        assignment.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    drain(&consumer, partitions.len())
}

/// How many records a topic has been given in all, counted by its offsets.
///
/// # Errors
/// When the broker does not answer.
pub fn written(kafka: &Connection, topic: &str) -> Result<i64> {
    let (client, timeout): (BaseConsumer, _) = (kafka.client_config("test").create()?, Duration::from_secs(10));
    let metadata = client.fetch_metadata(Some(topic), timeout)?;
    let partitions = metadata.topics().first().context("no such topic")?.partitions();
    let ends = partitions.iter().map(|partition| Ok(client.fetch_watermarks(topic, partition.id(), timeout)?.1));
    ends.sum()
}

fn drain(consumer: &BaseConsumer, partitions: usize) -> Result<Vec<Seen>> {
    let (mut seen, mut ended) = (Vec::new(), 0);
    while ended < partitions {
        match consumer.poll(Duration::from_secs(10)).context("the topic cannot be read to its end")? {
            Ok(message) => seen.push(look_at(&message)),
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => ended += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(seen)
}

fn look_at(message: &BorrowedMessage<'_>) -> Seen {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Seen {
        key: text(message.key().unwrap_or_default()),
        value: message.payload().unwrap_or_default().to_vec(),
        headers: writ_kafka::headers(message).into_iter().map(|(name, value)| (name, text(&value))).collect(),
    }
}

/// Writes a well-formed record to any topic, as only Writ's own services should.
///
/// # Errors
/// When the broker does not take it.
pub async fn write<R: Record>(kafka: &Connection, topic: &str, organization: OrganizationId, record: &R) -> Result<()> {
    let producer: FutureProducer =
        kafka.client_config("test").set("partitioner", writ_kafka::topics::PARTITIONER).create()?;
    let id = Uuid::now_v7().to_string();
    let header = |key, value| Header { key, value: Some(value) };
    let headers = OwnedHeaders::new()
        .insert(header("ce_specversion", "1.0"))
        .insert(header("ce_type", R::TYPE))
        .insert(header("ce_source", "urn:test"))
        .insert(header("ce_id", id.as_str()))
        .insert(header("ce_time", "2026-01-01T00:00:00Z"))
        .insert(header("content-type", "application/avro"));
    let (key, value) = (organization.to_string(), encode(record)?);
    let record = FutureRecord::to(topic).key(&key).payload(&value).headers(headers);
    producer.send(record, Duration::from_secs(30)).await.map_err(|(error, _)| error)?;
    Ok(())
}

/// Changes one setting of a topic; the others that it has of its own stay.
///
/// # Errors
/// When the broker refuses.
pub async fn configure(kafka: &Connection, topic: &str, name: &str, value: &str) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = kafka.client_config("test").create()?;
    let (of, options) = (ResourceSpecifier::Topic(topic), AdminOptions::new());
    let described = admin.describe_configs([&of], &options).await?.into_iter().next().context("no answer")??;
    let own = described.entries.iter().filter(|entry| entry.source == ConfigSource::DynamicTopic && entry.name != name);
    let kept = own.filter_map(|entry| Some((entry.name.as_str(), entry.value.as_deref()?)));
    let change =
        kept.chain([(name, value)]).fold(AlterConfig::new(of), |change, (name, value)| change.set(name, value));
    let answer = admin.alter_configs([&change], &options).await?.into_iter().next().context("no answer")?;
    answer.map(drop).map_err(|(_, code)| anyhow::anyhow!("{topic}: {code}"))
}
