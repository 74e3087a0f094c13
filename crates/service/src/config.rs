//! Settings: the defaults of `infra/writ.toml`, overridden by the file named in `WRIT_CONFIG`, overridden by the
//! environment (`WRIT_…`). An error names the variable and never repeats its value, which may be a secret.

mod error;
mod text;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::Dict;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use writ_contract::Region;
use writ_kafka::{Connection, Login};

pub use error::ConfigError;
pub use text::{BaseUrl, InvalidUrl, list, map, parsed};

/// Prefix of all environment variables.
const PREFIX: &str = "WRIT_";
const DEFAULTS: &str = include_str!("../../../infra/writ.toml");

/// The settings that all services have. The settings of one service are a type of its own, read from the same sources.
#[derive(Debug, Clone, Deserialize)]
pub struct Common {
    /// `WRIT_REGION`: code of the region this process runs in.
    pub region: Region,
    /// `WRIT_REGIONS`: codes of all regions, comma-separated; this one is among them.
    #[serde(deserialize_with = "list")]
    pub regions: Vec<Region>,
    /// `WRIT_KAFKA_BROKERS`: `host:port` of this region's brokers, comma-separated.
    pub kafka_brokers: String,
    /// `WRIT_KAFKA_USERNAME`: the service's Kafka principal, or `None` to connect without TLS and authentication.
    pub kafka_username: Option<String>,
    /// `WRIT_KAFKA_PASSWORD`: the principal's password.
    pub kafka_password: Option<SecretString>,
    /// `WRIT_KAFKA_CA`: file with the CA certificates (PEM) that sign the brokers' certificates.
    pub kafka_ca: Option<PathBuf>,
    /// `WRIT_LISTEN`: address and port where clients reach the service's API, or `None` if it has none.
    pub listen: Option<SocketAddr>,
    /// `WRIT_OPERATIONS_LISTEN`: address and port of the operational routes, which clients must not reach.
    pub operations_listen: SocketAddr,
    /// `WRIT_MAX_CONNECTIONS`: maximum number of connections to the API.
    #[serde(deserialize_with = "parsed")]
    pub max_connections: usize,
    /// `WRIT_MAX_CONNECTIONS_PER_ADDRESS`: maximum number of those from one address. A gateway is one address.
    #[serde(deserialize_with = "parsed")]
    pub max_connections_per_address: usize,
    /// `WRIT_MAX_REQUESTS`: maximum number of requests to the API in flight.
    #[serde(deserialize_with = "parsed")]
    pub max_requests: usize,
    /// `WRIT_MAX_REQUESTS_PER_ORGANIZATION`: maximum number of those of one organization.
    #[serde(deserialize_with = "parsed")]
    pub max_requests_per_organization: usize,
    /// `WRIT_MAX_REQUEST_RATE_PER_ORGANIZATION`: maximum number of requests of one organization in a second.
    #[serde(deserialize_with = "parsed")]
    pub max_request_rate_per_organization: u32,
    /// `WRIT_LOG`: log filter, such as `info` or `info,writ_log=debug`.
    pub log: String,
    /// `WRIT_LOG_FORMAT`: `text` or `json`.
    pub log_format: LogFormat,
    /// `WRIT_OTLP_ENDPOINT`: base URL of a trace collector (OTLP over HTTP), or `None` to export no traces.
    pub otlp_endpoint: Option<BaseUrl>,
    /// `WRIT_TRACE_RATIO`: share of the traces that begin here that is exported, 0 to 1.
    #[serde(deserialize_with = "parsed")]
    pub trace_ratio: f64,
    /// `WRIT_TRACE_READ_RATIO`: the same for traces that begin at a high-volume route, such as those of a read API.
    #[serde(deserialize_with = "parsed")]
    pub trace_read_ratio: f64,
    /// `WRIT_TRACES_PER_SECOND`: how many traces that begin here are exported, a second.
    #[serde(deserialize_with = "parsed")]
    pub traces_per_second: u32,
    /// `WRIT_TRACE_CALLERS_PER_SECOND`: how many traces that callers have sampled are exported, a second.
    #[serde(deserialize_with = "parsed")]
    pub trace_callers_per_second: u32,
    /// `WRIT_TELEMETRY`: whether metrics and traces are collected. Off only to measure what they cost.
    #[serde(deserialize_with = "parsed")]
    pub telemetry: bool,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings without a default, each with an example of a valid value.
pub type Required = &'static [(&'static str, &'static str)];

/// The settings of one service, besides [`Common`].
pub trait ServiceSettings: DeserializeOwned {
    /// Those that must be set.
    const REQUIRED: Required;
}

impl ServiceSettings for Common {
    const REQUIRED: Required = &[
        ("region", "us"),
        ("regions", "us,eu"),
        ("kafka_brokers", "127.0.0.1:19092"),
        ("operations_listen", "127.0.0.1:18091"),
    ];
}

/// Reads [`Common`] and the settings of one service from this process's environment.
///
/// # Errors
/// If settings are missing or invalid, or the file cannot be read; the error names each of them.
pub fn load<S: ServiceSettings>() -> Result<(Common, S), ConfigError> {
    load_from(variables())
}

/// Like [`load`], from the given variables.
///
/// # Errors
/// Like [`load`].
pub fn load_from<S: ServiceSettings>(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(Common, S), ConfigError> {
    let sources = sources(variables)?;
    ConfigError::all([invalid::<Common>(&sources)?, invalid::<S>(&sources)?].concat())?;
    let common: Common = sources.extract()?;
    ConfigError::all(common.inconsistent())?;
    Ok((common, sources.extract()?))
}

/// Every setting of `S` that is missing or cannot be read.
///
/// Reading stops at the first one. So that the others are found too, a valid value then takes its place: the example,
/// or else the default. Settings with neither are optional, and are left out.
fn invalid<S: ServiceSettings>(sources: &Figment) -> Result<Vec<ConfigError>, ConfigError> {
    let examples: BTreeMap<_, _> = S::REQUIRED.iter().copied().collect();
    let valid: Dict = defaults().merge(Serialized::defaults(examples)).extract()?;
    let mut settings: Dict = sources.extract()?;
    let mut found = Vec::new();
    while let Err(error) = Figment::from(Serialized::defaults(&settings)).extract::<S>() {
        let error = ConfigError::from(error);
        let field = error.field();
        if found.iter().any(|known: &ConfigError| known.field() == field) {
            break;
        }
        found.push(error);
        match valid.get(&field) {
            Some(value) => settings.insert(field, value.clone()),
            None => settings.remove(&field),
        };
    }
    Ok(found)
}

/// Reads some settings alone, from this process's environment.
pub(crate) fn only<S: DeserializeOwned>() -> Result<S, ConfigError> {
    Ok(sources(variables())?.extract()?)
}

fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn defaults() -> Figment {
    Figment::from(Toml::string(DEFAULTS))
}

fn sources(variables: impl IntoIterator<Item = (String, String)>) -> Result<Figment, ConfigError> {
    let environment = environment(variables);
    let mut sources = defaults();
    if let Some(path) = environment.get("config") {
        let file =
            std::fs::read_to_string(path).map_err(|error| ConfigError::invalid("config", error.kind().to_string()))?;
        sources = sources.merge(Toml::string(&file));
    }
    Ok(sources.merge(Serialized::defaults(environment)))
}

/// The variables that begin with `WRIT_`, as settings. Empty ones count as not set. Every value stays text: figment's
/// own `Env` would turn a token that consists of digits into a number.
fn environment(variables: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let named = variables.into_iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
        (!value.is_empty()).then_some((name, value))
    });
    named.collect()
}

impl Common {
    /// This region's Kafka, with the service's credentials.
    pub fn kafka(&self) -> Connection {
        match self.login() {
            Some(login) => Connection::new(&self.kafka_brokers, login),
            None => Connection::plaintext(&self.kafka_brokers),
        }
    }

    fn login(&self) -> Option<Login> {
        let (username, password, ca) =
            (self.kafka_username.clone()?, self.kafka_password.clone()?, self.kafka_ca.clone()?);
        Some(Login { username, password, ca })
    }

    /// Settings that are valid alone, but not together.
    fn inconsistent(&self) -> Vec<ConfigError> {
        let is_share = |ratio: f64| (0.0..=1.0).contains(&ratio);
        let rules = [
            ("region", self.regions.contains(&self.region), "not among WRIT_REGIONS"),
            ("kafka_brokers", self.kafka_brokers.split(',').all(is_host_and_port), "not a list of host:port"),
            ("trace_ratio", is_share(self.trace_ratio), "not between 0 and 1"),
            ("trace_read_ratio", is_share(self.trace_read_ratio), "not between 0 and 1"),
            ("max_connections", self.max_connections > 0, "not positive"),
            ("max_connections_per_address", self.max_connections_per_address > 0, "not positive"),
            // More permits than a semaphore can have.
            ("max_requests", (1..=1_000_000).contains(&self.max_requests), "not between 1 and 1000000"),
            ("max_requests_per_organization", self.max_requests_per_organization > 0, "not positive"),
            ("max_request_rate_per_organization", self.max_request_rate_per_organization > 0, "not positive"),
        ];
        let broken = rules.into_iter().filter(|(_, holds, _)| !holds);
        broken.map(|(field, _, reason)| ConfigError::invalid(field, reason)).chain(self.login_error()).collect()
    }

    /// A login has all three parts or none: half a login must not end in plain text.
    fn login_error(&self) -> Option<ConfigError> {
        let parts = [
            ("kafka_username", self.kafka_username.is_some()),
            ("kafka_password", self.kafka_password.is_some()),
            ("kafka_ca", self.kafka_ca.is_some()),
        ];
        let missing = parts.iter().find(|(_, given)| !given).filter(|_| parts.iter().any(|(_, given)| *given));
        if let Some((field, _)) = missing {
            return Some(ConfigError::invalid(field, "not set, but other settings of Kafka's login are"));
        }
        let error = std::fs::File::open(self.kafka_ca.as_ref()?).err()?;
        Some(ConfigError::invalid("kafka_ca", error.kind().to_string()))
    }
}

fn is_host_and_port(broker: &str) -> bool {
    broker.trim().rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests;
