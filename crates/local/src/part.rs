//! The processes of a region.

use crate::services::Service;

/// One process of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The region's PostgreSQL.
    Postgres,
    /// The region's broker.
    Kafka,
    /// The MirrorMaker that writes to the region.
    Mirror,
    /// The program that watches that MirrorMaker.
    MirrorWatch,
    /// A service.
    Service(Service),
}

impl Part {
    /// All parts of a region, in the order in which they depend on each other.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        [Self::Postgres, Self::Kafka, Self::Mirror, Self::MirrorWatch]
            .into_iter()
            .chain(Service::ALL.map(Self::Service))
    }

    /// Its name, such as `kafka`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Kafka => "kafka",
            Self::Mirror => "mirror",
            Self::MirrorWatch => "mirror-watch",
            Self::Service(service) => service.name(),
        }
    }
}
