//! The four services of a region: how each is called, where it keeps its data, what it is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use writ_kafka::Connection;
pub(crate) use writ_provision::Service;

use crate::cluster::{Cluster, LocalRegion};
use crate::error::{Error, Result};
use crate::launch::Launch;
use crate::supervisor::Ending;

pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(10) };

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

/// Folder of the services' programs.
pub(crate) fn programs(cluster: &Cluster) -> Result<PathBuf> {
    cluster.binaries.clone().map_or_else(binaries, Ok)
}

/// A program of ours.
pub(crate) fn program(cluster: &Cluster, binary: &str) -> Result<PathBuf> {
    let program = programs(cluster)?.join(binary);
    if !program.is_file() {
        return Err(Error::Missing(format!("{} does not exist: build the services first", program.display())));
    }
    Ok(program)
}

/// How a service of a region is started.
pub(crate) fn prepare(cluster: &Cluster, region: &LocalRegion, service: Service) -> Result<Launch> {
    launch(cluster, &service.binary(), region.port(service), settings(cluster, region, service))
}

/// How a program of ours that listens on `port` is started.
pub(crate) fn launch(
    cluster: &Cluster,
    binary: &str,
    port: u16,
    mut settings: Vec<(&'static str, String)>,
) -> Result<Launch> {
    let program = program(cluster, binary)?;
    settings.push(("listen", format!("127.0.0.1:{port}")));
    settings.extend(cluster.collector().map(|endpoint| ("otlp_endpoint", endpoint)));
    let variable = |name: &str| format!("WRIT_{}", name.to_uppercase());
    let launch = Launch::new(program).ports([port]);
    Ok(settings.into_iter().fold(launch, |launch, (name, value)| launch.env(&variable(name), value)))
}

/// What a service is told, wherever it runs, by the names of `infra/writ.toml`.
pub(crate) fn settings(cluster: &Cluster, region: &LocalRegion, service: Service) -> Vec<(&'static str, String)> {
    let mut all = common(cluster, region, service.name());
    all.push(("database_url", cluster.database_url(region, service)));
    all.push(("public_url", region.url(service)));
    all.extend(own_settings(cluster, service));
    all
}

/// What every program of ours is told that comes to a region's Kafka, as `principal`.
pub(crate) fn common(cluster: &Cluster, region: &LocalRegion, principal: &str) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("region", region.code.to_string()),
        ("regions", cluster.region_codes().join(",")),
        ("kafka_brokers", region.brokers()),
    ];
    all.extend(login(&cluster.kafka(region, principal)));
    all
}

fn login(kafka: &Connection) -> Vec<(&'static str, String)> {
    let Some(login) = kafka.login() else { return Vec::new() };
    vec![
        ("kafka_username", login.username.clone()),
        ("kafka_password", login.password.expose_secret().to_owned()),
        ("kafka_ca", login.ca.display().to_string()),
    ]
}

/// What only one service is told.
fn own_settings(cluster: &Cluster, service: Service) -> Vec<(&'static str, String)> {
    let secrets = &cluster.secrets;
    let both = [("consistency_key", secrets.consistency_key.clone()), ("identity_urls", identity_urls(cluster))];
    let own = match service {
        Service::Identity => ("operator_token", secrets.operator_token.clone()),
        Service::Projector => ("platform_token_hashes", hash(&secrets.platform_token)),
        Service::Authorization | Service::Audit => return Vec::new(),
    };
    both.into_iter().chain([own]).collect()
}

fn identity_urls(cluster: &Cluster) -> String {
    let urls = cluster.regions.iter().map(|region| format!("{}={}", region.code, region.url(Service::Identity)));
    urls.collect::<Vec<_>>().join(",")
}

fn hash(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}
