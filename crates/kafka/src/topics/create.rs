//! Creating the topics of a region.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::list::all;
use super::spec::{Cleanup, TopicSpec};
use crate::Connection;

const TIMEOUT: Duration = Duration::from_secs(15);

/// Why the topics could not be created.
#[derive(Debug, thiserror::Error)]
pub enum EnsureError {
    /// Kafka did not answer.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The process is shutting down.
    #[error("interrupted")]
    Interrupted,
    /// A topic could not be created.
    #[error("topic {topic} could not be created: {code}")]
    Refused {
        /// The topic.
        topic: String,
        /// Kafka's code.
        code: RDKafkaErrorCode,
    },
    /// A topic has another number of partitions, which would put keys on other partitions.
    #[error("topic {topic} has {found} partitions instead of {wanted}")]
    Partitions {
        /// The topic.
        topic: String,
        /// Actual number.
        found: usize,
        /// Expected number.
        wanted: i32,
    },
}

/// Creates the topics of this region, and `more`, that do not exist yet, and returns their names. Existing topics keep
/// their settings.
///
/// # Errors
/// If Kafka does not answer or refuses, or a topic has another number of partitions.
pub async fn ensure(kafka: &Connection, more: &[TopicSpec]) -> Result<Vec<String>, EnsureError> {
    let wanted: Vec<TopicSpec> = all().into_iter().chain(more).cloned().collect();
    let admin: AdminClient<DefaultClientContext> = kafka.client_config("writ-topics").create()?;
    let (admin, missing) = tokio::task::spawn_blocking(move || missing(&admin, wanted).map(|missing| (admin, missing)))
        .await
        .map_err(|_| EnsureError::Interrupted)??;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let settings: Vec<_> = missing.iter().map(TopicSettings::of).collect();
    let new: Vec<_> = missing.iter().zip(&settings).map(|(topic, settings)| settings.new_topic(topic)).collect();
    let results = admin.create_topics(&new, &AdminOptions::new().operation_timeout(Some(TIMEOUT))).await?;
    results.into_iter().filter_map(created).collect()
}

/// `None` if another client has just created it.
fn created(result: Result<String, (String, RDKafkaErrorCode)>) -> Option<Result<String, EnsureError>> {
    match result {
        Ok(topic) => Some(Ok(topic)),
        Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => None,
        Err((topic, code)) => Some(Err(EnsureError::Refused { topic, code })),
    }
}

fn missing(admin: &AdminClient<DefaultClientContext>, wanted: Vec<TopicSpec>) -> Result<Vec<TopicSpec>, EnsureError> {
    let metadata = admin.inner().fetch_metadata(None, TIMEOUT)?;
    let mut missing = Vec::new();
    for topic in wanted {
        match metadata.topics().iter().find(|found| found.name() == topic.name) {
            None => missing.push(topic),
            Some(found) => same_partitions(&topic, found.partitions().len())?,
        }
    }
    Ok(missing)
}

fn same_partitions(topic: &TopicSpec, found: usize) -> Result<(), EnsureError> {
    if usize::try_from(topic.partitions) == Ok(found) {
        return Ok(());
    }
    Err(EnsureError::Partitions { topic: topic.name.clone(), found, wanted: topic.partitions })
}

/// Values that a `NewTopic` borrows.
struct TopicSettings {
    retention: String,
    max_message_bytes: String,
    cleanup: &'static str,
    compression: &'static str,
}

impl TopicSettings {
    fn of(topic: &TopicSpec) -> Self {
        Self {
            retention: topic.retention_ms.to_string(),
            max_message_bytes: topic.max_message_bytes.to_string(),
            cleanup: topic.cleanup.as_str(),
            compression: if topic.mirrored { "uncompressed" } else { "producer" },
        }
    }

    fn new_topic<'a>(&'a self, topic: &'a TopicSpec) -> NewTopic<'a> {
        // −1 leaves the number of replicas to the broker's default.
        let new = NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(-1))
            .set("cleanup.policy", self.cleanup)
            .set("max.message.bytes", &self.max_message_bytes)
            .set("message.timestamp.type", "LogAppendTime")
            .set("compression.type", self.compression);
        match topic.cleanup {
            Cleanup::Delete => new.set("retention.ms", &self.retention),
            Cleanup::Compact => new,
        }
    }
}
