//! External systems that write to the log.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use writ_contract::ProducerName;
use writ_contract::text::InvalidText;

use crate::topics::{self, TopicSpec};

/// Prefix of the principals of external producers.
pub const PRODUCER_PREFIX: &str = "producer-";

/// What an external producer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProducerKind {
    /// Entities of its region.
    Entities,
    /// Commands to identity.
    Commands,
}

/// An external producer of a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExternalProducer {
    name: ProducerName,
    kind: ProducerKind,
}

impl ExternalProducer {
    /// A producer with a checked name.
    pub fn named(name: ProducerName, kind: ProducerKind) -> Self {
        Self { name, kind }
    }

    /// A producer with the name `name`.
    ///
    /// # Errors
    /// If the name cannot be part of a topic's name.
    pub fn new(name: &str, kind: ProducerKind) -> Result<Self, InvalidText> {
        name.parse().map(|name| Self { name, kind })
    }

    /// Name without a prefix.
    pub fn name(&self) -> &ProducerName {
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
        format!("{}{}", self.kind.topic_prefix(), self.name)
    }

    /// The topics that exist for this producer alone: the one it writes and its dead-letter topic.
    pub fn own_topics(&self) -> Vec<TopicSpec> {
        let prefix = self.kind.topic_prefix();
        let own = topics::per_producer().into_iter().filter(|topic| topic.producer_prefix() == Some(prefix));
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

    /// Prefix of the producers' topics.
    fn topic_prefix(self) -> &'static str {
        match self {
            Self::Entities => topics::ENTITY_EVENTS_PREFIX,
            Self::Commands => topics::IDENTITY_COMMANDS_PREFIX,
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

    fn topics_of(kind: ProducerKind) -> Vec<(String, bool)> {
        let own = ExternalProducer::new("billing", kind).unwrap().own_topics();
        own.into_iter().map(|topic| (topic.name, topic.mirrored)).collect()
    }

    #[test]
    fn a_producer_has_a_topic_and_a_dead_letter_topic_of_its_own() {
        let entities = [("entity-events-billing".to_owned(), false), ("entity-events-billing-dlq".to_owned(), false)];
        assert_eq!(topics_of(ProducerKind::Entities), entities);
        let commands =
            [("identity-commands-billing".to_owned(), true), ("identity-commands-billing-dlq".to_owned(), false)];
        assert_eq!(topics_of(ProducerKind::Commands), commands);
        assert!(ExternalProducer::new("billing-dlq", ProducerKind::Entities).is_err());
    }
}
