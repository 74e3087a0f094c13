//! The settings of one region, from a file, the environment or a command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnectOptions;
use writ_contract::{ProducerName, Region};
use writ_kafka::access::Quota;
use writ_kafka::{Connection, ExternalProducer, Login, ProducerKind};

use crate::error::{Error, Result};
use crate::kafka::KafkaPlan;
use crate::postgres::PostgresPlan;

/// What an external producer may use of a broker unless the settings say otherwise.
const PRODUCER_QUOTA: Quota = Quota { bytes_per_second: 5 << 20, request_percentage: 100 };

/// Addresses and credentials of a region's servers, and what they should have. All of it is optional: what is missing is
/// reported when it is needed.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegionSettings {
    /// Code of the region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Codes of all regions of the deployment.
    pub regions: Vec<Region>,
    /// `host:port` of the brokers, comma-separated. Without it Kafka is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka_brokers: Option<String>,
    /// Principal of Kafka's administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka_username: Option<String>,
    /// Password of Kafka's administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka_password: Option<String>,
    /// PEM file with the certificate authorities of the brokers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka_ca: Option<PathBuf>,
    /// Address of PostgreSQL for its administrator. Without it PostgreSQL is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_url: Option<String>,
    /// Password of PostgreSQL's administrator, if the address has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_password: Option<String>,
    /// Kinds of the external producers, by name.
    pub producers: BTreeMap<ProducerName, ProducerKind>,
    /// Bytes a second that each external producer may write to a broker; 5 MiB without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer_bytes_per_second: Option<u32>,
    /// Passwords of Kafka principals.
    pub principals: BTreeMap<String, String>,
    /// Passwords of database roles.
    pub roles: BTreeMap<String, String>,
}

impl RegionSettings {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// If the file cannot be read or is invalid. The error does not repeat values of the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::at(path))?;
        let invalid = |error: toml::de::Error| Error::Settings(format!("{}: {}", path.display(), error.message()));
        toml::from_str(&text).map_err(invalid)
    }

    /// As a TOML file.
    ///
    /// # Errors
    /// If a value has no form in TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::Settings(error.to_string()))
    }

    /// Connection of Kafka's administrator, if brokers are set.
    ///
    /// # Errors
    /// If a credential is missing.
    pub fn kafka(&self) -> Result<Option<Connection>> {
        let Some(brokers) = &self.kafka_brokers else { return Ok(None) };
        let login = Login {
            username: required(&self.kafka_username, "kafka_username")?,
            password: required(&self.kafka_password, "kafka_password")?.into(),
            ca: required(&self.kafka_ca, "kafka_ca")?,
        };
        Ok(Some(Connection::new(brokers, login)))
    }

    /// What Kafka should have.
    ///
    /// # Errors
    /// If a setting is missing or invalid.
    pub fn kafka_plan(&self) -> Result<KafkaPlan> {
        let region = required(&self.region, "region")?;
        if !self.regions.contains(&region) {
            return Err(Error::Settings(format!("regions must list all regions, {region} included")));
        }
        let (regions, producers) = (self.regions.clone(), self.external_producers());
        let bytes_per_second = self.producer_bytes_per_second.unwrap_or(PRODUCER_QUOTA.bytes_per_second);
        let producer_quota = Quota { bytes_per_second, ..PRODUCER_QUOTA };
        Ok(KafkaPlan { region, regions, producers, producer_quota, passwords: secret(&self.principals) })
    }

    /// What PostgreSQL should have, if its address is set.
    ///
    /// # Errors
    /// If the address is invalid.
    pub fn postgres(&self) -> Result<Option<PostgresPlan>> {
        let Some(url) = &self.postgres_url else { return Ok(None) };
        let invalid =
            |_| Error::Settings("postgres_url is not an address such as postgres://admin@host:5432".to_owned());
        let options: PgConnectOptions = url.parse().map_err(invalid)?;
        let options = self.postgres_password.iter().fold(options, |options, password| options.password(password));
        Ok(Some(PostgresPlan { administrator: options.application_name("writ"), passwords: secret(&self.roles) }))
    }

    /// The external producers.
    pub fn external_producers(&self) -> Vec<ExternalProducer> {
        self.producers.iter().map(|(name, kind)| ExternalProducer::named(name.clone(), *kind)).collect()
    }
}

/// Shows no password.
impl std::fmt::Debug for RegionSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegionSettings")
            .field("region", &self.region)
            .field("kafka_brokers", &self.kafka_brokers)
            .finish_non_exhaustive()
    }
}

fn required<T: Clone>(setting: &Option<T>, name: &str) -> Result<T> {
    setting.clone().ok_or_else(|| Error::Settings(format!("{name} is missing")))
}

fn secret(passwords: &BTreeMap<String, String>) -> BTreeMap<String, SecretString> {
    passwords.iter().map(|(name, password)| (name.clone(), password.clone().into())).collect()
}

#[cfg(test)]
mod tests;
