//! Who did something, and what asked for it.

use serde::{Deserialize, Serialize};

/// The kind of an [`Actor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person of an organization.
    User,
    /// A machine account of an organization.
    SystemAccount,
    /// Whoever holds the platform operator's token.
    Operator,
    /// Another system of the platform, known by its Kafka principal and topic.
    PlatformProducer,
    /// Writ itself.
    System,
}

/// Who did it: an id, never a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What `id` identifies.
    pub kind: ActorKind,
    /// A uuid, or the name of a producer or service.
    pub id: String,
}

impl Actor {
    /// Writ's own service `name`.
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, id: name.to_owned() }
    }
}

/// What asked for a change: a command, an entity event or a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// CloudEvents source, or the name of the API.
    pub source: String,
    /// CloudEvents id, or the request's id.
    pub id: String,
}
