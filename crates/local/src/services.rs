//! The four services of a region: how each is called, where it keeps its data, what it is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use writ_kafka::Connection;

use crate::cluster::{Cluster, LocalRegion};
use crate::error::{Error, Result};
use crate::launch::Launch;
use crate::supervisor::Ending;

pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(10) };

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
    /// Tamper-evident record.
    Audit,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Authorization, Self::Projector, Self::Audit];

    /// Its name, such as `identity`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Authorization => "authorization",
            Self::Projector => "projector",
            Self::Audit => "audit",
        }
    }

    /// Its database role.
    pub fn role(self) -> &'static str {
        self.name()
    }

    /// Its database.
    pub fn database(self) -> &'static str {
        match self {
            Self::Projector => "read_model",
            other => other.name(),
        }
    }

    /// Its program.
    pub fn binary(self) -> String {
        format!("writ-{}", self.name())
    }
}

impl LocalRegion {
    /// Where a service of this region listens.
    pub fn port(&self, service: Service) -> u16 {
        match service {
            Service::Identity => self.ports.identity,
            Service::Authorization => self.ports.authorization,
            Service::Projector => self.ports.projector,
            Service::Audit => self.ports.audit,
        }
    }

    /// Base address of a service of this region, such as `http://127.0.0.1:18081`.
    pub fn url(&self, service: Service) -> String {
        format!("http://127.0.0.1:{}", self.port(service))
    }
}

/// Folder of the services' programs: beside the running program, or one above for tests and
/// examples.
fn binaries() -> Result<PathBuf> {
    let current = std::env::current_exe().map_err(Error::io("the running program"))?;
    let has = |folder: &&Path| folder.join(Service::Identity.binary()).is_file();
    let found = current.ancestors().skip(1).take(2).find(has);
    found.map(Path::to_path_buf).ok_or_else(|| {
        let beside = current.parent().unwrap_or(Path::new(".")).display();
        Error::Missing(format!(
            "writ-identity is not in {beside}: build the services first, with cargo build --workspace"
        ))
    })
}

/// How a service of a region is started.
pub(crate) fn prepare(cluster: &Cluster, region: &LocalRegion, service: Service) -> Result<Launch> {
    let program = cluster.binaries.clone().map_or_else(binaries, Ok)?.join(service.binary());
    if !program.is_file() {
        return Err(Error::Missing(format!("{} does not exist: build the services first", program.display())));
    }
    let launch = Launch::new(program)
        .env("WRIT_REGION", region.code.as_str())
        .env("WRIT_REGIONS", cluster.region_codes().join(","))
        .env("WRIT_KAFKA_BROKERS", region.brokers())
        .env("WRIT_DATABASE_URL", cluster.database_url(region, service))
        .env("WRIT_LISTEN", format!("127.0.0.1:{}", region.port(service)))
        .env("WRIT_PUBLIC_URL", region.url(service))
        .ports([region.port(service)]);
    let launch = with_login(launch, &cluster.kafka_of(region, service));
    Ok(own_settings(with_traces(launch, cluster), cluster, service))
}

fn with_login(launch: Launch, kafka: &Connection) -> Launch {
    let Some(login) = kafka.login() else { return launch };
    launch
        .env("WRIT_KAFKA_USERNAME", &login.username)
        .env("WRIT_KAFKA_PASSWORD", login.password.expose_secret())
        .env("WRIT_KAFKA_CA", login.ca.display().to_string())
}

fn with_traces(launch: Launch, cluster: &Cluster) -> Launch {
    match cluster.collector() {
        Some(endpoint) => launch.env("WRIT_OTLP_ENDPOINT", endpoint),
        None => launch,
    }
}

/// What only one service is told.
fn own_settings(launch: Launch, cluster: &Cluster, service: Service) -> Launch {
    let secrets = &cluster.secrets;
    match service {
        Service::Identity => launch
            .env("WRIT_OPERATOR_TOKEN", &secrets.operator_token)
            .env("WRIT_CONSISTENCY_KEY", &secrets.consistency_key)
            .env("WRIT_IDENTITY_URLS", identity_urls(cluster)),
        Service::Projector => launch
            .env("WRIT_PLATFORM_TOKEN_HASHES", hash(&secrets.platform_token))
            .env("WRIT_CONSISTENCY_KEY", &secrets.consistency_key)
            .env("WRIT_IDENTITY_URLS", identity_urls(cluster)),
        Service::Authorization | Service::Audit => launch,
    }
}

fn identity_urls(cluster: &Cluster) -> String {
    let urls = cluster.regions.iter().map(|region| format!("{}={}", region.code, region.url(Service::Identity)));
    urls.collect::<Vec<_>>().join(",")
}

fn hash(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}
