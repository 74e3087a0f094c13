//! The file that describes a cluster.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use writ_contract::ProducerName;
use writ_kafka::{ExternalProducer, ProducerKind, ProducerScope};
use writ_provision::{random_password, write_private};

use crate::cluster::secrets::Secrets;
use crate::error::{Error, Result};
use crate::region::LocalRegion;

/// Name of the external producer of the demo.
pub const DEMO_PRODUCER: &str = "demo";

/// Everything about a cluster that outlives a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClusterFile {
    pub(crate) port_offset: u16,
    pub(crate) regions: Vec<LocalRegion>,
    pub(crate) secrets: Secrets,
    #[serde(default)]
    pub(crate) plaintext_kafka: bool,
    #[serde(default = "demo_only")]
    pub(crate) producers: Vec<RegisteredProducer>,
}

/// An external producer of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisteredProducer {
    pub(crate) name: ProducerName,
    /// Whether it sends commands; otherwise it sends entity events.
    commands: bool,
    /// What it may speak for. Only entity producers have a scope yet.
    #[serde(default = "everything")]
    pub(crate) scope: ProducerScope,
    /// Part of its passwords, so that a producer that is removed and added again gets new ones.
    #[serde(default)]
    pub(crate) key: String,
}

impl ClusterFile {
    /// Reads a file, if it exists.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(path).map_err(Error::at(path))?;
        let invalid = |error| Error::Settings(format!("{} cannot be used: {error}", path.display()));
        serde_json::from_str(&text).map(Some).map_err(invalid)
    }

    /// Writes the file, readable by its owner alone.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::Settings(error.to_string()))?;
        Ok(write_private(path, &text)?)
    }

    /// Codes of the regions.
    pub(crate) fn codes(&self) -> Vec<String> {
        self.regions.iter().map(|region| region.code.to_string()).collect()
    }
}

impl RegisteredProducer {
    pub(crate) fn new(name: ProducerName, kind: ProducerKind, scope: ProducerScope) -> Self {
        Self { name, commands: kind == ProducerKind::Commands, scope, key: random_password() }
    }

    pub(crate) fn external(&self) -> ExternalProducer {
        ExternalProducer::named(self.name.clone(), self.kind())
    }

    pub(crate) fn kind(&self) -> ProducerKind {
        if self.commands { ProducerKind::Commands } else { ProducerKind::Entities }
    }
}

/// The producers of a new cluster.
pub(crate) fn demo_only() -> Vec<RegisteredProducer> {
    let demo = |name| RegisteredProducer { name, commands: false, scope: ProducerScope::ALL, key: String::new() };
    DEMO_PRODUCER.parse().ok().map(demo).into_iter().collect()
}

fn everything() -> ProducerScope {
    ProducerScope::ALL
}
