//! Settings: the defaults of `infra/writ.toml`, over them the file that `WRIT_CONFIG` names, over
//! that the environment (`WRIT_…`). An error names the variable and never repeats its value.

mod environment;
mod error;
mod text;

use std::net::SocketAddr;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Format, Toml};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use writ_contract::Region;
use writ_kafka::{Connection, Login};

use environment::Environment;
pub use error::ConfigError;
pub use text::{BaseUrl, InvalidUrl, list, map, parsed};

const DEFAULTS: &str = include_str!("../../../infra/writ.toml");

/// The settings all services have. A service's own settings are a type of its own, read from
/// the same sources.
#[derive(Debug, Clone, Deserialize)]
pub struct Common {
    /// `WRIT_REGION`: code of the region this process runs in.
    pub region: Region,
    /// `WRIT_REGIONS`: codes of all regions, comma-separated; this one is among them.
    #[serde(deserialize_with = "list")]
    pub regions: Vec<Region>,
    /// `WRIT_KAFKA_BROKERS`: `host:port` of this region's brokers, comma-separated.
    pub kafka_brokers: String,
    /// `WRIT_KAFKA_USERNAME`: principal of the service at Kafka. None: Kafka is reached in the clear.
    pub kafka_username: Option<String>,
    /// `WRIT_KAFKA_PASSWORD`: the principal's password.
    pub kafka_password: Option<SecretString>,
    /// `WRIT_KAFKA_CA`: file with the certificates (PEM) that the brokers' own are checked with.
    pub kafka_ca: Option<PathBuf>,
    /// `WRIT_LISTEN`: address and port of the HTTP server.
    pub listen: SocketAddr,
    /// `WRIT_LOG`: filter of the log, such as `info` or `info,writ_log=debug`.
    pub log: String,
    /// `WRIT_LOG_FORMAT`: `text` or `json`.
    pub log_format: LogFormat,
    /// `WRIT_OTLP_ENDPOINT`: base address of a trace collector (OTLP over HTTP); none, no export.
    pub otlp_endpoint: Option<BaseUrl>,
    /// `WRIT_TRACE_RATIO`: share of traces begun here that are exported, 0 to 1.
    #[serde(deserialize_with = "parsed")]
    pub trace_ratio: f64,
    /// `WRIT_TRACE_READ_RATIO`: the same of traces that begin with a question to the read API.
    #[serde(deserialize_with = "parsed")]
    pub trace_read_ratio: f64,
    /// `WRIT_TELEMETRY`: whether anything is measured and traced; off only to see what that costs.
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

/// Reads the settings all services have and those of one service from this process's
/// environment.
///
/// # Errors
/// When a setting is missing or wrong, or the file cannot be read.
pub fn load<S: DeserializeOwned>() -> Result<(Common, S), ConfigError> {
    load_from(variables())
}

/// As [`load`], from the given variables.
///
/// # Errors
/// When a setting is missing or wrong, or the file cannot be read.
pub fn load_from<S: DeserializeOwned>(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(Common, S), ConfigError> {
    let sources = sources(variables)?;
    let wrong = [problems::<Common>(&sources), problems::<S>(&sources)].concat();
    ConfigError::all(wrong).map_or(Ok(()), Err)?;
    let common: Common = sources.extract()?;
    common.validate()?;
    Ok((common, sources.extract()?))
}

/// Everything that is missing or cannot be read, not only the first: where a setting is wrong, the example of
/// `infra/writ.toml` stands in for it, and the rest is looked at.
fn problems<T: DeserializeOwned>(sources: &Figment) -> Vec<ConfigError> {
    let (examples, mut sources, mut found) = (examples(), sources.clone(), Vec::new());
    while let Err(error) = sources.extract::<T>() {
        let error = ConfigError::from(error);
        let field = error.field();
        let repeated = found.contains(&error);
        found.extend((!repeated).then_some(error));
        match examples.find_value(&field) {
            Ok(example) if !repeated => sources = sources.merge((field, example)),
            _ => break,
        }
    }
    found
}

/// Every setting of `infra/writ.toml`, those without a default with the example in its comment.
fn examples() -> Figment {
    let uncommented = |line: &'static str| match line.strip_prefix("# ") {
        Some(example) if example.split_once(" = ").is_some_and(|(name, _)| is_name(name)) => example,
        _ => line,
    };
    Figment::from(Toml::string(&DEFAULTS.lines().map(uncommented).collect::<Vec<_>>().join("\n")))
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Reads some settings alone, from this process's environment.
pub(crate) fn only<S: DeserializeOwned>() -> Result<S, ConfigError> {
    Ok(sources(variables())?.extract()?)
}

fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn sources(variables: impl IntoIterator<Item = (String, String)>) -> Result<Figment, ConfigError> {
    let environment = Environment::of(variables);
    let mut sources = Figment::from(Toml::string(DEFAULTS));
    if let Some(path) = environment.get("config") {
        let file =
            std::fs::read_to_string(path).map_err(|error| ConfigError::invalid("config", error.kind().to_string()))?;
        sources = sources.merge(Toml::string(&file));
    }
    Ok(sources.merge(environment))
}

impl Common {
    /// This region's Kafka, and the service's principal there.
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

    /// All three or none: half a login must not end in plain text.
    fn validate_login(&self) -> Result<(), ConfigError> {
        let given = [
            ("kafka_username", self.kafka_username.is_some()),
            ("kafka_password", self.kafka_password.is_some()),
            ("kafka_ca", self.kafka_ca.is_some()),
        ];
        let missing = given.iter().find(|(_, given)| !given).filter(|_| given.iter().any(|(_, given)| *given));
        if let Some((field, _)) = missing {
            return Err(ConfigError::invalid(field, "not set, but other settings of Kafka's login are"));
        }
        let readable = self.kafka_ca.as_ref().map_or(Ok(()), |file| std::fs::File::open(file).map(drop));
        readable.map_err(|error| ConfigError::invalid("kafka_ca", error.kind().to_string()))
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if !self.regions.contains(&self.region) {
            return Err(ConfigError::invalid("region", "not among WRIT_REGIONS"));
        }
        if !self.kafka_brokers.split(',').all(is_host_and_port) {
            return Err(ConfigError::invalid("kafka_brokers", "not a list of host:port"));
        }
        if !(0.0..=1.0).contains(&self.trace_ratio) {
            return Err(ConfigError::invalid("trace_ratio", "not between 0 and 1"));
        }
        if !(0.0..=1.0).contains(&self.trace_read_ratio) {
            return Err(ConfigError::invalid("trace_read_ratio", "not between 0 and 1"));
        }
        self.validate_login()
    }
}

fn is_host_and_port(broker: &str) -> bool {
    broker.trim().rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests;
