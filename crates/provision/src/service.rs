//! The services of a region and their databases.

use serde::{Deserialize, Serialize};

/// A service of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// System of record, management API.
    Identity,
    /// Policies from events.
    Authorization,
    /// Read model, regional read API.
    Projector,
    /// Audit record.
    Audit,
}

impl Service {
    /// All services.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Authorization, Self::Projector, Self::Audit];

    /// Name, such as `identity`; also that of its Kafka principal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Authorization => "authorization",
            Self::Projector => "projector",
            Self::Audit => "audit",
        }
    }

    /// Database role that the service runs as. It reads and writes rows.
    pub fn role(self) -> &'static str {
        self.name()
    }

    /// Role that owns the database and changes tables. No service runs as it.
    pub fn owner(self) -> String {
        format!("{}_owner", self.name())
    }

    /// Name of the database.
    pub fn database(self) -> &'static str {
        match self {
            Self::Projector => "read_model",
            other => other.name(),
        }
    }

    /// Name of the program.
    pub fn binary(self) -> String {
        format!("writ-{}", self.name())
    }
}
