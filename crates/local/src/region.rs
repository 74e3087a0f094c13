//! The regions of a cluster and their parts.

pub(crate) mod ports;

use serde::{Deserialize, Serialize};
use writ_contract::Region;
use writ_provision::Service;

use ports::Ports;

/// Host of everything that runs on the machine itself.
pub(crate) const LOOPBACK: &str = "127.0.0.1";
/// Port of a broker inside its container.
pub(crate) const KAFKA_INSIDE: u16 = 9092;
/// Port of PostgreSQL inside its container.
const POSTGRES_INSIDE: u16 = 5432;

/// A region of a local cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRegion {
    /// Code, such as `us`.
    pub code: Region,
    /// Ports on the machine.
    pub ports: Ports,
    /// Whether addresses are those inside the containers, not those on the machine.
    #[serde(skip)]
    pub(crate) inside: bool,
}

/// One part of a region: a process or a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// PostgreSQL.
    Postgres,
    /// The Kafka broker.
    Kafka,
    /// The MirrorMaker that writes to the region.
    Mirror,
    /// The program that monitors that MirrorMaker.
    MirrorWatch,
    /// A service.
    Service(Service),
}

impl Part {
    /// All parts of a region, each after those that it depends on.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        [Self::Postgres, Self::Kafka, Self::Mirror, Self::MirrorWatch]
            .into_iter()
            .chain(Service::ALL.map(Self::Service))
    }

    /// Name, such as `kafka`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Kafka => "kafka",
            Self::Mirror => "mirror",
            Self::MirrorWatch => "mirror-watch",
            Self::Service(service) => service.name(),
        }
    }

    /// Whether other parts depend on it, so that it stops after them.
    pub(crate) fn is_foundation(self) -> bool {
        matches!(self, Self::Postgres | Self::Kafka)
    }

    /// The part with the process `name`, such as `us-kafka`.
    pub(crate) fn of_process(name: &str) -> Option<Self> {
        let (_, part) = name.split_once('-')?;
        Self::all().find(|candidate| candidate.name() == part)
    }
}

impl LocalRegion {
    /// Name of the process or container of a part, such as `us-kafka`.
    pub fn process(&self, part: Part) -> String {
        format!("{}-{}", self.code, part.name())
    }

    /// Port of a service's API, or of its operational routes if it has none.
    pub fn port(&self, service: Service) -> u16 {
        match service {
            Service::Identity => self.ports.identity,
            Service::Authorization => self.ports.authorization,
            Service::Projector => self.ports.projector,
            Service::Audit => self.ports.audit,
        }
    }

    /// Port of a service's health, status and metrics.
    pub fn operations_port(&self, service: Service) -> u16 {
        match service {
            Service::Identity => self.ports.identity_operations,
            Service::Projector => self.ports.projector_operations,
            Service::Authorization | Service::Audit => self.port(service),
        }
    }

    /// Port of a part, if it listens.
    pub fn port_of(&self, part: Part) -> Option<u16> {
        match part {
            Part::Postgres => Some(self.ports.postgres),
            Part::Kafka => Some(self.ports.kafka),
            Part::Mirror => None,
            Part::MirrorWatch => Some(self.ports.mirror_watch),
            Part::Service(service) => Some(self.port(service)),
        }
    }

    /// Base address of a service's API, such as `http://127.0.0.1:18081`.
    pub fn url(&self, service: Service) -> String {
        format!("http://{LOOPBACK}:{}", self.port(service))
    }

    /// Base address of a service's health, status and metrics, such as `http://127.0.0.1:18091`.
    pub fn operations_url(&self, service: Service) -> String {
        format!("http://{LOOPBACK}:{}", self.operations_port(service))
    }

    /// `host:port` of the broker.
    pub fn brokers(&self) -> String {
        match self.inside {
            true => format!("{}:{KAFKA_INSIDE}", self.process(Part::Kafka)),
            false => format!("{LOOPBACK}:{}", self.ports.kafka),
        }
    }

    /// Host and port of PostgreSQL.
    pub(crate) fn postgres(&self) -> (String, u16) {
        match self.inside {
            true => (self.process(Part::Postgres), POSTGRES_INSIDE),
            false => (LOOPBACK.to_owned(), self.ports.postgres),
        }
    }
}
