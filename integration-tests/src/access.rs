//! What a region's Kafka lets a principal do, found out without leaving a trace in it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use writ_kafka::Connection;

/// How long the broker may take for one answer.
const ANSWER: Duration = Duration::from_secs(20);

/// Somebody at a region's Kafka, as one principal.
pub struct Visitor {
    kafka: Connection,
}

impl Visitor {
    /// Comes with this connection's login.
    pub fn new(kafka: Connection) -> Self {
        Self { kafka }
    }

    /// The topics that it is shown.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn sees(&self) -> Result<BTreeSet<String>> {
        let metadata = self.consumer()?.fetch_metadata(None, ANSWER)?;
        Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
    }

    /// Those of the topics that it may write.
    ///
    /// # Errors
    /// When the broker does not answer, or takes a record.
    pub async fn writes(&self, topics: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        // The broker first looks at who writes, and then refuses this number of acknowledgements: nothing is appended.
        let mut config = self.kafka.client_config("test");
        let producer: FutureProducer = config.set("acks", "2").set("message.timeout.ms", "20000").create()?;
        let asked = topics.iter().map(|topic| is_written(&producer, topic));
        let allowed = try_join_all(asked).await?;
        Ok(chosen(topics, allowed))
    }

    /// Those of the topics that it may read.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn reads(&self, topics: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        // Whoever may read a topic sees it; and the client cannot even ask for what it does not see.
        let (consumer, seen, topics) = (self.consumer()?, self.sees()?, topics.clone());
        let asked = tokio::task::spawn_blocking(move || {
            let asked = topics.iter().map(|topic| Ok(seen.contains(topic) && is_read(&consumer, topic)?));
            Ok(chosen(&topics, asked.collect::<Result<_>>()?))
        });
        asked.await?
    }

    /// Those of the topics that it may create, though there are none of these names.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn creates(&self, topics: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let new: Vec<_> = topics.iter().map(|topic| NewTopic::new(topic, 1, TopicReplication::Fixed(1))).collect();
        of_allowed(self.admin()?.create_topics(&new, &only_asked()).await?)
    }

    /// Those of the topics to which it may add partitions.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn extends(&self, topics: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let more: Vec<_> = topics.iter().map(|topic| NewPartitions::new(topic, 100)).collect();
        of_allowed(self.admin()?.create_partitions(&more, &only_asked()).await?)
    }

    /// Tries to change a topic's settings. The client does not say what came of it.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn tries_to_change(&self, topic: &str) -> Result<()> {
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set("retention.ms", "1234567890");
        self.admin()?.alter_configs([&change], &AdminOptions::new()).await?;
        Ok(())
    }

    /// A topic's settings.
    ///
    /// # Errors
    /// When the broker does not answer or refuses.
    pub async fn settings(&self, topic: &str) -> Result<BTreeSet<(String, Option<String>)>> {
        let asked = [ResourceSpecifier::Topic(topic)];
        let mut answers = self.admin()?.describe_configs(&asked, &AdminOptions::new()).await?;
        let found = answers.pop().context("no answer")??;
        Ok(found.entries.into_iter().map(|entry| (entry.name, entry.value)).collect())
    }

    /// Those of the topics that it may delete. They are deleted.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn deletes(&self, topics: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        of_allowed(self.admin()?.delete_topics(&names, &AdminOptions::new()).await?)
    }

    /// Whether it may use the consumer group.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn uses_group(&self, group: &str) -> Result<bool> {
        let consumer: BaseConsumer = self.kafka.client_config("test").set("group.id", group).create()?;
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition("schemas", 0);
        let asked = |patience| consumer.committed_offsets(partitions.clone(), patience).is_ok();
        match unless_it_complains(&consumer, asked)? {
            None => Ok(true),
            Some(RDKafkaErrorCode::GroupAuthorizationFailed) => Ok(false),
            Some(code) => Err(code.into()),
        }
    }

    fn consumer(&self) -> Result<BaseConsumer> {
        let mut config = self.kafka.client_config("test");
        // The client wants a group; no group is joined and nothing committed.
        config.set("group.id", "test").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
        Ok(config
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "10")
            .set("topic.metadata.refresh.fast.interval.ms", "10")
            .create()?)
    }

    fn admin(&self) -> Result<AdminClient<DefaultClientContext>> {
        Ok(self.kafka.client_config("test").create()?)
    }
}

fn only_asked() -> AdminOptions {
    AdminOptions::new().validate_only(true)
}

fn chosen(topics: &BTreeSet<String>, allowed: Vec<bool>) -> BTreeSet<String> {
    topics.iter().zip(allowed).filter(|(_, allowed)| *allowed).map(|(topic, _)| topic.clone()).collect()
}

fn of_allowed(results: impl IntoIterator<Item = TopicResult>) -> Result<BTreeSet<String>> {
    let mut allowed = BTreeSet::new();
    for result in results {
        match result {
            Ok(topic) => drop(allowed.insert(topic)),
            Err((_, RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed)) => {}
            Err((topic, code)) => bail!("{topic}: {code}"),
        }
    }
    Ok(allowed)
}

async fn is_written(producer: &FutureProducer, topic: &str) -> Result<bool> {
    let record = FutureRecord::to(topic).key("test").payload("test");
    match producer.send(record, ANSWER).await {
        Err((KafkaError::MessageProduction(RDKafkaErrorCode::TopicAuthorizationFailed), _)) => Ok(false),
        Err((KafkaError::MessageProduction(RDKafkaErrorCode::InvalidRequiredAcks), _)) => Ok(true),
        Err((error, _)) => Err(error).with_context(|| format!("writing {topic}")),
        Ok(_) => bail!("{topic} took a record that it should have refused"),
    }
}

fn is_read(consumer: &BaseConsumer, topic: &str) -> Result<bool> {
    let mut partition = TopicPartitionList::new();
    partition.add_partition_offset(topic, 0, Offset::Offset(0))?;
    consumer.assign(&partition)?;
    loop {
        match consumer.poll(ANSWER).with_context(|| format!("no answer for {topic}"))? {
            Ok(message) if message.topic() == topic => return Ok(true),
            Err(KafkaError::PartitionEOF(_)) => return Ok(true),
            Err(KafkaError::MessageConsumption(RDKafkaErrorCode::TopicAuthorizationFailed)) => return Ok(false),
            // What the principal has no group for; records are read without one.
            Ok(_) | Err(KafkaError::MessageConsumption(RDKafkaErrorCode::GroupAuthorizationFailed)) => {}
            Err(error) => return Err(error).with_context(|| format!("reading {topic}")),
        }
    }
}

/// What a client complains of that the broker does not let in; none when it is let in.
///
/// # Errors
/// When there is neither an answer nor a complaint.
pub fn complaint(settings: &ClientConfig) -> Result<Option<RDKafkaErrorCode>> {
    let consumer: BaseConsumer = settings.create()?;
    unless_it_complains(&consumer, |patience| consumer.fetch_metadata(None, patience).is_ok())
}

/// A client that is refused goes on trying; why, it says only when it is polled.
fn unless_it_complains(consumer: &BaseConsumer, works: impl Fn(Duration) -> bool) -> Result<Option<RDKafkaErrorCode>> {
    let (deadline, glance) = (Instant::now() + ANSWER, Duration::from_millis(100));
    while Instant::now() < deadline {
        if let Some(Err(KafkaError::MessageConsumption(code))) = consumer.poll(glance) {
            return Ok(Some(code));
        }
        if works(glance) {
            return Ok(None);
        }
    }
    bail!("neither let in nor refused")
}
