//! The description of a local cluster: regions, ports, secrets, external producers, and the addresses that follow.

pub(crate) mod addresses;
pub(crate) mod file;
pub(crate) mod location;
pub(crate) mod secrets;
pub(crate) mod settings;

use std::path::{Path, PathBuf};

use writ_contract::ProducerName;
use writ_kafka::{ExternalProducer, ProducerKind, ProducerScope, ProducerScopes};

use crate::error::{Error, Result};
use crate::home::Home;
use crate::region::ports::Ports;
use crate::region::{LocalRegion, Part};
use file::{ClusterFile, RegisteredProducer, demo_only};
use location::find_home;
use secrets::Secrets;

/// The regions of a new cluster.
const DEFAULT_REGIONS: [&str; 2] = ["us", "eu"];

/// What a cluster is opened with. Options that are not given keep their saved values, or take defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Home folder; default `.writ` in the folder of the project.
    pub home: Option<PathBuf>,
    /// Codes of the regions; default `us` and `eu`.
    pub regions: Option<Vec<String>>,
    /// Added to every port; default 0.
    pub port_offset: Option<u16>,
    /// Folder of the services' programs; default that of the running program.
    pub binaries: Option<PathBuf>,
    /// Trace collector (OTLP over HTTP); default a `jaeger` on the path.
    pub otlp_endpoint: Option<String>,
    /// Run Kafka without security, to measure its cost; default false.
    pub plaintext_kafka: Option<bool>,
    /// Use the addresses inside the containers of the cluster.
    pub inside: bool,
}

/// A local cluster of regions.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Regions, in the order of their numbers.
    pub regions: Vec<LocalRegion>,
    /// Secrets.
    pub secrets: Secrets,
    pub(crate) port_offset: u16,
    pub(crate) home: Home,
    pub(crate) in_containers: bool,
    pub(crate) plaintext_kafka: bool,
    pub(crate) producers: Vec<RegisteredProducer>,
    pub(crate) binaries: Option<PathBuf>,
    pub(crate) otlp_endpoint: Option<String>,
}

impl Cluster {
    /// Opens the cluster of a home, changed as the options say. A home without a cluster gets a new one, with new secrets.
    /// Without a home, the cluster of `docker-compose.yml` is opened if it runs. Nothing is started.
    ///
    /// # Errors
    /// If the options are invalid, or the home cannot be used.
    pub fn open(options: Options) -> Result<Self> {
        let (home, in_containers) = find_home(options.home.as_deref(), options.inside)?;
        let saved = ClusterFile::read(&home.cluster_file())?;
        let port_offset = options.port_offset.or(saved.as_ref().map(|file| file.port_offset)).unwrap_or(0);
        let codes = options.regions.or(saved.as_ref().map(ClusterFile::codes)).unwrap_or_else(default_regions);
        let was_plaintext = saved.as_ref().is_some_and(|file| file.plaintext_kafka);
        let cluster = Self {
            regions: number(&codes, port_offset, options.inside)?,
            port_offset,
            home,
            in_containers,
            plaintext_kafka: options.plaintext_kafka.unwrap_or(was_plaintext),
            producers: saved.as_ref().map_or_else(demo_only, |file| file.producers.clone()),
            secrets: saved.map_or_else(Secrets::generate, |file| file.secrets),
            binaries: options.binaries,
            otlp_endpoint: options.otlp_endpoint,
        };
        cluster.save()?;
        Ok(cluster)
    }

    /// Folder of everything that the cluster owns.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The region with this code.
    ///
    /// # Errors
    /// If the cluster has no such region.
    pub fn region(&self, code: &str) -> Result<&LocalRegion> {
        let found = self.regions.iter().find(|region| region.code.as_str() == code);
        found.ok_or_else(|| Error::Settings(format!("the cluster has no region {code}")))
    }

    /// Codes of all regions.
    pub fn region_codes(&self) -> Vec<&str> {
        self.regions.iter().map(|region| region.code.as_str()).collect()
    }

    /// Whether the parts run in containers, so that the container engine has their logs and data.
    pub fn in_containers(&self) -> bool {
        self.in_containers
    }

    /// The parts of each region. A single region has nothing to mirror.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        let single = self.regions.len() == 1;
        Part::all().filter(move |part| !single || !matches!(part, Part::Mirror | Part::MirrorWatch))
    }

    /// The parts of all regions.
    pub(crate) fn all_parts(&self) -> impl Iterator<Item = (&LocalRegion, Part)> {
        self.regions.iter().flat_map(|region| self.parts().map(move |part| (region, part)))
    }

    /// The registered external producers.
    pub fn producers(&self) -> Vec<ExternalProducer> {
        self.producers.iter().map(RegisteredProducer::external).collect()
    }

    /// What each entity producer may speak for.
    pub fn scopes(&self) -> ProducerScopes {
        let entities = self.producers.iter().filter(|producer| producer.kind() == ProducerKind::Entities);
        ProducerScopes { producer: entities.map(|known| (known.name.clone(), known.scope.clone())).collect() }
    }

    /// Registers an external producer, or changes what it may speak for, without giving it access, which
    /// [`Cluster::up`] does.
    ///
    /// # Errors
    /// If the name is invalid, or a producer of another kind has it.
    pub fn add_producer(&mut self, name: &str, kind: ProducerKind, scope: ProducerScope) -> Result<ExternalProducer> {
        let checked: ProducerName = name.parse().map_err(|error| Error::Settings(format!("{name} {error}")))?;
        match self.producers.iter_mut().find(|known| known.name == checked) {
            Some(known) if known.kind() == kind => known.scope = scope,
            Some(_) => return Err(Error::Settings(format!("a producer {name} of the other kind exists"))),
            None => self.producers.push(RegisteredProducer::new(checked.clone(), kind, scope)),
        }
        self.save()?;
        Ok(ExternalProducer::named(checked, kind))
    }

    /// Takes over the producers from the operator's copy of the cluster in `folder`, if there is one.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn adopt_producers(&mut self, folder: &Path) -> Result<()> {
        self.read_producers(&folder.join("cluster.json"))?;
        self.save()
    }

    /// Replaces the producers by those of a cluster's file, if it exists.
    pub(crate) fn read_producers(&mut self, file: &Path) -> Result<()> {
        if let Some(saved) = ClusterFile::read(file)? {
            self.producers = saved.producers;
        }
        Ok(())
    }

    pub(crate) fn save(&self) -> Result<()> {
        let file = ClusterFile {
            port_offset: self.port_offset,
            regions: self.regions.clone(),
            secrets: self.secrets.clone(),
            plaintext_kafka: self.plaintext_kafka,
            producers: self.producers.clone(),
        };
        file.write(&self.home.cluster_file())
    }
}

fn default_regions() -> Vec<String> {
    DEFAULT_REGIONS.map(str::to_owned).to_vec()
}

/// Numbers the regions, which gives them their ports.
fn number(codes: &[String], offset: u16, inside: bool) -> Result<Vec<LocalRegion>> {
    if codes.is_empty() {
        return Err(Error::Settings("a cluster needs at least one region".to_owned()));
    }
    let repeated = codes.iter().enumerate().find(|(at, code)| codes[..*at].contains(code));
    if let Some((_, code)) = repeated {
        return Err(Error::Settings(format!("region {code} is named twice")));
    }
    let region = |(at, code): (usize, &String)| {
        let code = code.parse().map_err(|error| Error::Settings(format!("{code}: {error}")))?;
        Ok(LocalRegion { code, ports: Ports::of(at + 1, offset)?, inside })
    };
    codes.iter().enumerate().map(region).collect()
}

#[cfg(test)]
mod tests;
