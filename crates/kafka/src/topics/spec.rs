//! The format of `infra/topics.toml`.

use serde::Deserialize;
use writ_contract::ProducerName;

/// Stands for the name of an external producer in the name of a topic.
const PRODUCER: &str = "<producer>";

/// Kafka's `cleanup.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cleanup {
    /// Records are deleted after the retention.
    Delete,
    /// The last record of each key is kept.
    Compact,
}

impl Cleanup {
    /// Value of the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Compact => "compact",
        }
    }
}

/// A topic as the file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicSpec {
    /// Name in its own region.
    pub name: String,
    /// Number of partitions; never changes.
    pub partitions: i32,
    /// Retention in milliseconds; −1 keeps records indefinitely. `30d`, `12h` or empty in the file.
    #[serde(rename = "retention", deserialize_with = "milliseconds")]
    pub retention_ms: i64,
    /// What happens to old records.
    pub cleanup: Cleanup,
    /// Whether other regions have a copy.
    pub mirrored: bool,
    /// Largest record batch that the broker accepts, in bytes.
    pub max_message_bytes: usize,
    /// Principals of the region that may write it.
    pub writers: Vec<String>,
    /// Principals of the region that may read it and its mirrored copies.
    pub readers: Vec<String>,
    /// Whether refused records go to a topic of their own.
    #[serde(default)]
    pub dead_letter: bool,
}

impl TopicSpec {
    /// What precedes the producer's name, if each external producer has a topic of this kind.
    pub fn producer_prefix(&self) -> Option<&str> {
        self.name.split_once(PRODUCER).map(|(prefix, _)| prefix)
    }

    /// Its name, with `*` for the name of an external producer.
    pub fn pattern(&self) -> String {
        self.name.replace(PRODUCER, "*")
    }

    /// The topic of this kind of one external producer.
    #[must_use]
    pub fn of_producer(&self, producer: &ProducerName) -> Self {
        Self { name: self.name.replace(PRODUCER, producer.as_str()), ..self.clone() }
    }

    /// The producer whose topic of this kind `topic` is.
    pub(super) fn producer_in(&self, topic: &str) -> Option<ProducerName> {
        let (prefix, suffix) = self.name.split_once(PRODUCER)?;
        topic.strip_prefix(prefix)?.strip_suffix(suffix)?.parse().ok()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    topic: Vec<TopicSpec>,
}

/// Parses the file that is part of this build.
///
/// # Panics
/// If the file is invalid, which the tests of this crate rule out.
#[expect(clippy::expect_used, reason = "the file is parsed in a test")]
pub(super) fn compiled_in(text: &str) -> Vec<TopicSpec> {
    parse(text).expect("the compiled-in list of topics is valid")
}

fn parse(text: &str) -> Result<Vec<TopicSpec>, toml::de::Error> {
    toml::from_str::<File>(text).map(|file| file.topic)
}

fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    retention(&text).ok_or_else(|| serde::de::Error::custom("retention is a number and d, h or m, or empty"))
}

fn retention(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(-1);
    }
    let (number, unit) = text.split_at_checked(text.len() - 1)?;
    let minutes = match unit {
        "d" => 1_440,
        "h" => 60,
        "m" => 1,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(minutes * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics;

    #[test]
    fn the_file_describes_every_topic_of_the_code() {
        for name in [
            topics::IDENTITY_EVENTS,
            topics::IDENTITY_COMMAND_RESULTS,
            topics::ORGANIZATIONS,
            topics::POLICY_CHANGES,
            topics::POLICY_SNAPSHOTS,
            topics::SNAPSHOT_REQUESTS,
            topics::SCHEMAS,
            topics::DECISIONS,
            topics::TOKEN_USAGE,
            topics::AUDIT_HEADS,
            topics::ADMIN_ACTS,
            topics::HEARTBEATS,
        ] {
            assert!(topics::spec(name).is_some(), "{name}");
        }
        let prefixes: Vec<_> = topics::per_producer().into_iter().filter_map(TopicSpec::producer_prefix).collect();
        for prefix in [topics::ENTITY_EVENTS_PREFIX, topics::IDENTITY_COMMANDS_PREFIX] {
            assert!(prefixes.contains(&prefix), "{prefix}");
        }
    }

    #[test]
    fn a_producers_topics_have_the_entries_of_their_kind() {
        let entry = |topic: &str| topics::spec(topic).map(|spec| spec.name.as_str());
        assert_eq!(entry("entity-events-gateways"), Some("entity-events-<producer>"));
        assert_eq!(entry("entity-events-gateways-dlq"), Some("entity-events-<producer>-dlq"));
        assert_eq!(entry("entity-events-"), None);
        assert!(
            topics::largest_record("entity-events-gateways-dlq") > topics::largest_record("entity-events-gateways")
        );
        assert_eq!(topics::entity_producer("entity-events-gateways").unwrap(), "gateways");
        for other in ["entity-events", "entity-events-", "entity-events-gateways-dlq", "identity-events"] {
            assert_eq!(topics::entity_producer(other), None, "{other}");
        }
    }

    #[test]
    fn refused_records_stay_on_their_partition() {
        let all: Vec<_> = topics::all().into_iter().chain(topics::per_producer()).collect();
        for topic in all.iter().filter(|topic| topic.dead_letter) {
            let refused = topics::spec(&topics::dead_letter(&topic.name)).unwrap();
            assert_eq!(refused.partitions, topic.partitions);
            assert!(refused.max_message_bytes > topic.max_message_bytes && !refused.mirrored);
        }
    }

    #[test]
    fn retention_is_a_number_and_a_unit() {
        assert_eq!(retention("7d"), Some(604_800_000));
        assert_eq!(retention("12h"), Some(43_200_000));
        assert_eq!(retention(""), Some(-1));
        for bad in ["7", "d", "7w", "-", "é"] {
            assert_eq!(retention(bad), None, "{bad}");
        }
    }
}
