//! External systems that write to the log.

use std::str::FromStr;

use writ_log::topics;

use crate::{Binding, Operation, Resource};

/// What the names of external producers' principals begin with.
pub const PRODUCER_PREFIX: &str = "producer-";
/// Longest name of a producer.
const LONGEST: usize = 48;

/// What an external producer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProducerKind {
    /// Entities of its region, to `entity-events`.
    Entities,
    /// Commands, to a topic of its own.
    Commands,
}

/// An external producer of a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Producer {
    name: String,
    kind: ProducerKind,
}

/// A name that cannot be part of a topic's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a producer's name has 1 to 48 lower-case letters, digits and dashes, begins with a letter, and is not a dead-letter topic's"
)]
pub struct InvalidName;

impl Producer {
    /// A producer.
    ///
    /// # Errors
    /// When the name is not fit for a topic: a dot in it would look like a mirrored topic.
    pub fn new(name: &str, kind: ProducerKind) -> Result<Self, InvalidName> {
        let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= LONGEST
            && name.chars().all(fit)
            && !name.ends_with(topics::DLQ_SUFFIX);
        valid.then(|| Self { name: name.to_owned(), kind }).ok_or(InvalidName)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it writes.
    pub fn kind(&self) -> ProducerKind {
        self.kind
    }

    /// Its principal, which no service's can be.
    pub fn principal(&self) -> String {
        format!("{PRODUCER_PREFIX}{}", self.name)
    }

    /// The topic it writes.
    pub fn topic(&self) -> String {
        match self.kind {
            ProducerKind::Entities => topics::ENTITY_EVENTS.to_owned(),
            ProducerKind::Commands => format!("{}{}", topics::IDENTITY_COMMANDS_PREFIX, self.name),
        }
    }

    /// What it may: write its topic, and read what became of its commands.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        let principal = self.principal();
        let may = |operation, resource| Binding { principal: principal.clone(), operation, resource };
        let mut all = vec![may(Operation::Write, Resource::topic(self.topic()))];
        if self.kind == ProducerKind::Commands {
            all.push(may(Operation::Read, Resource::topic(topics::IDENTITY_COMMAND_RESULTS)));
            all.push(may(Operation::Read, Resource::groups(format!("{principal}."))));
        }
        all
    }
}

impl ProducerKind {
    /// Its name, such as `commands`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entities => "entities",
            Self::Commands => "commands",
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
            assert_eq!(Producer::new(bad, ProducerKind::Commands), Err(InvalidName), "{bad}");
        }
        let billing = Producer::new("billing", ProducerKind::Commands).unwrap();
        assert_eq!(billing.topic(), "identity-commands-billing");
    }

    #[test]
    fn an_entity_producer_writes_one_topic_and_reads_none() {
        let bindings = Producer::new("gateways", ProducerKind::Entities).unwrap().bindings();
        assert_eq!(bindings.len(), 1);
        assert_eq!((bindings[0].operation, bindings[0].resource.name.as_str()), (Operation::Write, "entity-events"));
    }
}
