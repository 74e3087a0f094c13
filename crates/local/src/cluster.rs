//! A local cluster as its file describes it: regions, ports and secrets.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use writ_contract::Region;

use writ_provision::write_private;

use crate::docker;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::part::Part;
use crate::ports::Ports;
use crate::producers::RegisteredProducer;
use crate::secrets::Secrets;
use crate::supervisor::Supervisor;

/// The regions of a cluster that names none.
const DEFAULT_REGIONS: [&str; 2] = ["us", "eu"];

/// A region of a local cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRegion {
    /// Its code, such as `us`.
    pub code: Region,
    /// Its ports.
    pub ports: Ports,
    /// Whether it is looked at from one of its containers, not from the machine.
    #[serde(skip)]
    pub(crate) inside: bool,
}

/// What a cluster is opened with. What is not given stays as it was, or takes its default.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Home folder; `.writ` in the project's folder.
    pub home: Option<PathBuf>,
    /// Codes of the regions; `us` and `eu`.
    pub regions: Option<Vec<String>>,
    /// Added to every port; 0.
    pub port_offset: Option<u16>,
    /// Folder of the services' programs; that of the running program.
    pub binaries: Option<PathBuf>,
    /// Where the services send their traces, by OTLP over HTTP; a `jaeger` on the path.
    pub otlp_endpoint: Option<String>,
    /// Whether Kafka asks nobody who they are, to measure what security costs; false.
    pub plaintext_kafka: Option<bool>,
    /// Whether this runs in one of the cluster's containers, which know each other by name.
    pub inside: bool,
}

/// A local cluster of regions.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its regions, in the order of their numbers.
    pub regions: Vec<LocalRegion>,
    /// Its secrets.
    pub secrets: Secrets,
    pub(crate) port_offset: u16,
    pub(crate) home: Home,
    /// Whether its parts run in the containers of `docker-compose.yml`.
    pub(crate) in_containers: bool,
    pub(crate) plaintext_kafka: bool,
    pub(crate) producers: Vec<RegisteredProducer>,
    pub(crate) binaries: Option<PathBuf>,
    pub(crate) otlp_endpoint: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    port_offset: u16,
    regions: Vec<LocalRegion>,
    secrets: Secrets,
    #[serde(default)]
    plaintext_kafka: bool,
    #[serde(default = "demo_only")]
    producers: Vec<RegisteredProducer>,
}

impl Cluster {
    /// Opens the cluster of a home, as its file has it, changed as the options say. A home
    /// without a file gets one, with new secrets. Where no home is named, nothing runs there, and
    /// the cluster of `docker-compose.yml` is on the ports, that one is opened. Starts nothing.
    ///
    /// # Errors
    /// When the options are wrong, or the home cannot be used.
    pub fn open(options: Options) -> Result<Self> {
        let (home, in_containers) = find_home(&options)?;
        let saved = read(&home.cluster_file())?;
        let port_offset = options.port_offset.or(saved.as_ref().map(|file| file.port_offset)).unwrap_or(0);
        let codes = options.regions.or(saved.as_ref().map(codes_of)).unwrap_or_else(default_regions);
        let regions = place(&codes, port_offset, options.inside)?;
        let was_plaintext = saved.as_ref().is_some_and(|file| file.plaintext_kafka);
        let plaintext_kafka = options.plaintext_kafka.unwrap_or(was_plaintext);
        let producers = saved.as_ref().map_or_else(demo_only, |file| file.producers.clone());
        let secrets = saved.map_or_else(Secrets::generate, |file| file.secrets);
        let cluster = Self {
            regions,
            secrets,
            port_offset,
            home,
            in_containers,
            plaintext_kafka,
            producers,
            binaries: options.binaries,
            otlp_endpoint: options.otlp_endpoint,
        };
        cluster.save()?;
        Ok(cluster)
    }

    /// Everything the cluster owns is in this folder.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The region of this code.
    ///
    /// # Errors
    /// When the cluster has no such region.
    pub fn region(&self, code: &str) -> Result<&LocalRegion> {
        let found = self.regions.iter().find(|region| region.code.as_str() == code);
        found.ok_or_else(|| Error::Settings(format!("the cluster has no region {code}")))
    }

    /// Whether its parts run in containers: then the engine starts and ends them, and has their logs and data.
    pub fn in_containers(&self) -> bool {
        self.in_containers
    }

    /// The parts of each region: without another region there is nothing to mirror.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        let alone = self.regions.len() == 1;
        Part::all().filter(move |part| !alone || !matches!(part, Part::Mirror | Part::MirrorWatch))
    }

    /// Codes of all regions.
    pub fn region_codes(&self) -> Vec<&str> {
        self.regions.iter().map(|region| region.code.as_str()).collect()
    }

    pub(crate) fn supervisor(&self) -> Supervisor {
        Supervisor::new(self.home.clone())
    }

    /// Has the external producers of a cluster's file, if there is that file.
    pub(crate) fn take_producers_of(&mut self, file: &Path) -> Result<()> {
        if let Some(saved) = read(file)? {
            self.producers = saved.producers;
        }
        Ok(())
    }

    pub(crate) fn save(&self) -> Result<()> {
        let (regions, secrets, producers) = (self.regions.clone(), self.secrets.clone(), self.producers.clone());
        let (port_offset, plaintext_kafka) = (self.port_offset, self.plaintext_kafka);
        let file = File { port_offset, regions, secrets, plaintext_kafka, producers };
        let text = serde_json::to_string_pretty(&file).map_err(|error| Error::Settings(error.to_string()))?;
        Ok(write_private(&self.home.cluster_file(), &text)?)
    }
}

/// The home that is meant, and whether its parts run in containers.
fn find_home(options: &Options) -> Result<(Home, bool)> {
    let home = Home::open(options.home.as_deref())?;
    if home.root().file_name().is_some_and(|name| name == docker::FOLDER) {
        return Ok((home, true));
    }
    let containers = docker::home(home.root()).filter(|_| options.home.is_none() && !options.inside);
    match containers {
        Some(folder) if Supervisor::new(home.clone()).none_runs() && docker::answers(Ports::of(1, 0)?.identity) => {
            Ok((Home::open(Some(&folder))?, true))
        }
        _ => Ok((home, false)),
    }
}

fn read(path: &Path) -> Result<Option<File>> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(Error::at(path))?;
    let unusable = |error| Error::Settings(format!("{} cannot be used: {error}", path.display()));
    serde_json::from_str(&text).map(Some).map_err(unusable)
}

fn codes_of(file: &File) -> Vec<String> {
    file.regions.iter().map(|region| region.code.to_string()).collect()
}

fn demo_only() -> Vec<RegisteredProducer> {
    vec![RegisteredProducer::demo()]
}

fn default_regions() -> Vec<String> {
    DEFAULT_REGIONS.map(str::to_owned).to_vec()
}

/// Gives each region its number, and so its ports.
fn place(codes: &[String], offset: u16, inside: bool) -> Result<Vec<LocalRegion>> {
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
