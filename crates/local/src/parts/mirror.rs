//! MirrorMaker 2: one process in each region, next to the cluster that it writes to.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use secrecy::ExposeSecret;
use writ_kafka::Connection;
use writ_kafka::topics::{self, HEARTBEATS};

use writ_provision::write_private;

use crate::error::Result;
use crate::parts::jvm::{JavaProgram, Jvm};
use crate::parts::kafka;
use crate::process::launch::Launch;
use crate::process::supervisor::Ending;
use crate::region::LocalRegion;

const SETTINGS: &str = include_str!("../../../../infra/mirrormaker/mm2.properties");
const SECURE: &str = include_str!("../../../../infra/mirrormaker/secure.properties");
const RUN: &str = include_str!("../../../../infra/mirrormaker/run.sh");

pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(10) };

/// A cluster in MirrorMaker's settings: alias, address and credentials.
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) kafka: Connection,
}

/// Writes the settings of the mirror that writes to `target`. It is run by a script that restarts it.
pub(crate) fn prepare(jvm: &Jvm, folder: &Path, aliases: &[Alias], target: &LocalRegion) -> Result<Launch> {
    let settings = write_settings(folder, aliases)?;
    let script = folder.join("run-mirror.sh");
    // Replaced, not modified: bash reads a script while it runs.
    write_private(&script, RUN)?;
    let launch = jvm.launch(JavaProgram::Mirror, &settings)?.args(["--clusters", target.code.as_str()]);
    Ok(launch.run_by(&script).env("WRIT_MIRROR_RESTART_FILE", restart_file(folder).display().to_string()))
}

/// Creating this file, in the folder of the region, requests a restart of the mirror.
pub(crate) fn restart_file(folder: &Path) -> PathBuf {
    folder.join("mirror-restart")
}

/// Writes `mm2.properties` and returns its path.
pub(crate) fn write_settings(folder: &Path, aliases: &[Alias]) -> Result<PathBuf> {
    let file = folder.join("mm2.properties");
    write_private(&file, &settings(aliases, &allowed()))?;
    Ok(file)
}

/// One direction of mirroring, observed by its heartbeats.
#[derive(Debug)]
pub(crate) struct Flow {
    kafka: Connection,
    topic: String,
    first: Mutex<Option<i64>>,
}

impl Flow {
    /// The direction from `source` into a cluster.
    pub(crate) fn new(source: &str, kafka: Connection) -> Self {
        Self { kafka, topic: topics::mirrored(HEARTBEATS, source), first: Mutex::new(None) }
    }

    /// All directions into a region.
    pub(crate) fn into_region(all: &[LocalRegion], target: &LocalRegion, kafka: &Connection) -> Vec<Self> {
        let sources = all.iter().filter(|region| region.code != target.code);
        sources.map(|source| Self::new(source.code.as_str(), kafka.clone())).collect()
    }

    /// Whether heartbeats have arrived since the first call, which shows that records move.
    pub(crate) async fn moves(&self) -> Result<(), String> {
        let end = kafka::end_of(&self.kafka, self.topic.clone()).await;
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_some() && end > *first {
            return Ok(());
        }
        *first = first.or(end);
        Err(format!("nothing arrives in {} yet", self.topic))
    }
}

/// The mirrored topics, as MirrorMaker's allow-list.
fn allowed() -> String {
    let mirrored = topics::all().into_iter().filter(|topic| topic.mirrored).map(|topic| topic.name.clone());
    let of_producers = topics::per_producer().into_iter().filter(|topic| topic.mirrored);
    let patterns = of_producers.filter_map(|topic| topic.producer_prefix()).map(|prefix| format!("{prefix}.*"));
    mirrored.chain(patterns).collect::<Vec<_>>().join(", ")
}

fn settings(aliases: &[Alias], topics: &str) -> String {
    let names: Vec<&str> = aliases.iter().map(|alias| alias.name.as_str()).collect();
    let secure = aliases.iter().any(|alias| alias.kafka.login().is_some());
    let template = SETTINGS.lines().chain(SECURE.lines().filter(|_| secure));
    template.flat_map(|line| line_of(line, aliases, &names.join(", "), topics)).collect()
}

/// Expands a line of the template: unchanged, once per region, or once per direction.
fn line_of(line: &str, aliases: &[Alias], clusters: &str, topics: &str) -> Vec<String> {
    if line.starts_with('#') {
        return vec![format!("{line}\n")];
    }
    if line.contains("${region}") {
        return aliases.iter().map(|alias| alias.fill_in(line) + "\n").collect();
    }
    if line.contains("${source}") {
        let of = |(source, target): (&str, &str)| line.replace("${source}", source).replace("${target}", target);
        return directions(aliases).map(|direction| of(direction) + "\n").collect();
    }
    vec![line.replace("${clusters}", clusters).replace("${topics}", topics) + "\n"]
}

impl Alias {
    fn fill_in(&self, line: &str) -> String {
        let line = line.replace("${region}", &self.name).replace("${brokers}", self.kafka.brokers());
        let Some(login) = self.kafka.login() else { return line };
        line.replace("${username}", &login.username)
            .replace("${password}", login.password.expose_secret())
            .replace("${ca}", &login.ca.display().to_string())
    }
}

fn directions(aliases: &[Alias]) -> impl Iterator<Item = (&str, &str)> {
    let pairs = aliases.iter().flat_map(|source| aliases.iter().map(move |target| (source, target)));
    pairs
        .map(|(source, target)| (source.name.as_str(), target.name.as_str()))
        .filter(|(source, target)| source != target)
}

#[cfg(test)]
mod run_tests;

#[cfg(test)]
mod tests {
    use writ_kafka::Login;

    use super::*;

    fn three() -> Vec<Alias> {
        let login = |name: &str| Login {
            username: writ_kafka::access::rules::mirror_to("eu", name),
            password: "hush".into(),
            ca: "/ca.pem".into(),
        };
        let kafka = |name: &str, port| Connection::new(format!("127.0.0.1:{port}"), login(name));
        let alias = |name: &str, port| Alias { name: name.to_owned(), kafka: kafka(name, port) };
        vec![alias("us", 19092), alias("eu", 29092), alias("au", 39092)]
    }

    #[test]
    fn every_direction_between_regions_is_mirrored_once() {
        let text = settings(&three(), &allowed());
        let enabled: Vec<&str> = text.lines().filter(|line| line.contains("->")).collect();
        assert_eq!(enabled.len(), 6);
        assert!(enabled.contains(&"au->us.enabled = true"));
        assert!(text.contains("clusters = us, eu, au\n"));
        assert!(text.contains("eu.bootstrap.servers = 127.0.0.1:29092\n"));
        assert!(text.contains("au.producer.linger.ms = 0\n"));
        assert!(text.contains("us.sasl.jaas.config = ") && text.contains("username=\"mirror-eu\" password=\"hush\""));
        assert!(text.contains("username=\"mirror\" password"));
        assert!(!text.lines().any(|line| !line.starts_with('#') && line.contains("${")));
    }

    #[test]
    fn only_what_may_leave_a_region_is_on_the_list() {
        let allowed = allowed();
        let listed: Vec<&str> = allowed.split(", ").collect();
        assert!(listed.contains(&topics::POLICY_CHANGES) && listed.contains(&"identity-commands-.*"));
        for home in [topics::IDENTITY_EVENTS, "entity-events-demo", topics::DECISIONS, topics::ADMIN_ACTS] {
            assert!(!listed.contains(&home), "{home} stays in its region");
        }
    }
}
