//! Who did something, and what asked for it.

use serde::{Deserialize, Serialize};

use crate::StoredText;
use crate::names::names;

names! {
    /// The kind of an [`Actor`].
    ActorKind {
        /// A person of an organization.
        User = "user",
        /// A machine account of an organization.
        SystemAccount = "system_account",
        /// The holder of the platform operator's token.
        Operator = "operator",
        /// Another system of the platform, known by its Kafka principal and topic.
        PlatformProducer = "platform_producer",
        /// Writ itself.
        System = "system",
    }
}

/// Who did it: an id, never a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What `id` identifies.
    pub kind: ActorKind,
    /// A uuid, or the name of a producer or service.
    pub id: StoredText,
}

impl Actor {
    /// Writ's own service `name`.
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, id: StoredText::lossy(name) }
    }
}

/// What asked for a change: a command, an entity event or a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// Name of the producer, or of the API.
    pub source: StoredText,
    /// CloudEvents id, or the request's id.
    pub id: StoredText,
}
