//! What `infra/topics.toml` says of each topic.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::spec::{TopicSpec, compiled_in};

/// Limit of a topic that the file does not list; that of all topics except the dead-letter topics.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 1_048_576;
/// Bytes that a produce request adds to a record.
const BATCH_OVERHEAD: usize = 1_024;

static TOPICS: LazyLock<BTreeMap<String, TopicSpec>> = LazyLock::new(|| {
    compiled_in(include_str!("../../../../infra/topics.toml")).into_iter().map(|s| (s.name.clone(), s)).collect()
});

/// The topics that every region has, sorted by name.
pub fn all() -> Vec<&'static TopicSpec> {
    TOPICS.values().filter(|topic| topic.producer_prefix().is_none()).collect()
}

/// The topics that exist once for each external producer, named with the placeholder `<producer>`.
pub fn per_producer() -> Vec<&'static TopicSpec> {
    TOPICS.values().filter(|topic| topic.producer_prefix().is_some()).collect()
}

/// The entry of a topic, or of the topics that it is one of.
pub fn spec(name: &str) -> Option<&'static TopicSpec> {
    TOPICS.get(name).or_else(|| per_producer().into_iter().find(|topic| topic.producer_in(name).is_some()))
}

/// Maximum size of a record for `topic`, in bytes.
pub fn largest_record(topic: &str) -> usize {
    spec(topic).map_or(DEFAULT_MAX_MESSAGE_BYTES, |topic| topic.max_message_bytes) - BATCH_OVERHEAD
}
