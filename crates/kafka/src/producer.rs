//! External systems that write to the log.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::topics::{self, TopicSpec};

/// Prefix of the principals of external producers.
pub const PRODUCER_PREFIX: &str = "producer-";
/// Maximum length of a producer's name.
const MAX_NAME: usize = 48;

/// What an external producer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProducerKind {
    /// Entities of its region, to `entity-events`.
    Entities,
    /// Commands, to a topic of its own.
    Commands,
}

/// An external producer of a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExternalProducer {
    name: String,
    kind: ProducerKind,
}

/// The name cannot be part of a topic's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a producer's name has 1 to 48 lower-case letters, digits and dashes, begins with a letter and does not end in -dlq"
)]
pub struct InvalidName;

impl ExternalProducer {
    /// Checks the name: a dot in it, for example, would make its topic look like a mirrored copy.
    ///
    /// # Errors
    /// If the name cannot be part of a topic's name.
    pub fn new(name: &str, kind: ProducerKind) -> Result<Self, InvalidName> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= MAX_NAME
            && name.chars().all(allowed)
            && !name.ends_with(topics::DLQ_SUFFIX);
        valid.then(|| Self { name: name.to_owned(), kind }).ok_or(InvalidName)
    }

    /// Name without a prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it writes.
    pub fn kind(&self) -> ProducerKind {
        self.kind
    }

    /// Its principal at the cluster; never the same as a service's.
    pub fn principal(&self) -> String {
        format!("{PRODUCER_PREFIX}{}", self.name)
    }

    /// The topic it writes.
    pub fn topic(&self) -> String {
        match self.kind.topic_prefix() {
            Some(prefix) => format!("{prefix}{}", self.name),
            None => topics::ENTITY_EVENTS.to_owned(),
        }
    }

    /// The topics that exist for this producer alone: the one it writes and its dead-letter topic.
    pub fn own_topics(&self) -> Vec<TopicSpec> {
        let prefix = self.kind.topic_prefix();
        let own = topics::per_producer().into_iter().filter(|topic| topic.producer_prefix() == prefix);
        own.map(|topic| topic.of_producer(&self.name)).collect()
    }
}

impl ProducerKind {
    /// Name on the command line, such as `commands`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entities => "entities",
            Self::Commands => "commands",
        }
    }

    /// Prefix of the producers' own topics, if each has its own.
    fn topic_prefix(self) -> Option<&'static str> {
        match self {
            Self::Entities => None,
            Self::Commands => Some(topics::IDENTITY_COMMANDS_PREFIX),
        }
    }
}

impl FromStr for ProducerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "entities" => Ok(Self::Entities),
            "commands" => Ok(Self::Commands),
            _ => Err("expected entities or commands".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_reach_another_topic() {
        for bad in ["", "eu.policy", "Billing", "-a", "9a", "a_b", "billing-dlq", &"a".repeat(49)] {
            assert_eq!(ExternalProducer::new(bad, ProducerKind::Commands), Err(InvalidName), "{bad}");
        }
        let billing = ExternalProducer::new("billing", ProducerKind::Commands).unwrap();
        assert_eq!(billing.topic(), "identity-commands-billing");
    }

    #[test]
    fn a_command_producer_has_a_mirrored_topic_and_a_dead_letter_topic_that_is_not() {
        let own = ExternalProducer::new("billing", ProducerKind::Commands).unwrap().own_topics();
        let names: Vec<_> = own.iter().map(|topic| (topic.name.as_str(), topic.mirrored)).collect();
        assert_eq!(names, [("identity-commands-billing", true), ("identity-commands-billing-dlq", false)]);
        assert_eq!(ExternalProducer::new("gateways", ProducerKind::Entities).unwrap().own_topics(), []);
    }
}
