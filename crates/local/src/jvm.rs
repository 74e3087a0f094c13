//! Kafka's jars and how a JVM is started from them.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use writ_provision::create_folder;

use crate::command;
use crate::error::{Error, Result};
use crate::launch::Launch;

const POM: &str = include_str!("../../../infra/kafka/pom.xml");
const LOG4J: &str = include_str!("../../../infra/kafka/log4j2.properties");
/// Several JVMs share a small machine: the serial collector has the smallest footprint, and the first compiler is fast
/// at once, where the second takes minutes of processor time to be faster. An archive made by another JVM is ignored:
/// no reason to say so at each start.
const FRUGAL: [&str; 4] = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xlog:disable", "-Xlog:all=error:stderr"];

/// The two programs in the jars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Broker,
    Mirror,
}

impl Program {
    fn class(self) -> &'static str {
        match self {
            Self::Broker => "kafka.Kafka",
            Self::Mirror => "org.apache.kafka.connect.mirror.MirrorMaker",
        }
    }

    fn archive(self) -> &'static str {
        match self {
            Self::Broker => "broker.jsa",
            Self::Mirror => "mirror.jsa",
        }
    }

    /// Largest heap, in MiB: two regions of both stay far below 3 GiB.
    fn heap(self) -> u32 {
        match self {
            Self::Broker => 384,
            Self::Mirror => 256,
        }
    }
}

/// The jars in the cache and the `java` that runs them.
#[derive(Debug, Clone)]
pub(crate) struct Jvm {
    java: PathBuf,
    folder: PathBuf,
}

impl Jvm {
    /// The jars of this version of the project in the cache, fetched or not.
    pub(crate) fn new(java: PathBuf, cache: &Path) -> Self {
        Self { java, folder: cache.join(format!("kafka-{}", version())) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn libs(&self) -> PathBuf {
        self.folder.join("libs")
    }

    /// Whether the jars are there, all of them.
    pub(crate) fn is_fetched(&self) -> bool {
        self.libs().is_dir()
    }

    /// Fetches the jars with Maven. They appear all at once or not at all.
    pub(crate) async fn fetch(&self, maven: &Path) -> Result<()> {
        let fresh = self.folder.join("libs.new");
        create_folder(&self.folder)?;
        write(&self.folder.join("pom.xml"), POM)?;
        let mut command = Command::new(maven);
        command.args(["-q", "-B", "dependency:copy-dependencies"]).current_dir(&self.folder);
        command.arg(format!("-DoutputDirectory={}", fresh.display()));
        command::run(&mut command, "fetching Kafka's jars with Maven").await?;
        std::fs::rename(&fresh, self.libs()).map_err(Error::at(&fresh))
    }

    /// Where the class-data archive of a program is.
    pub(crate) fn archive(&self, program: Program) -> PathBuf {
        self.folder.join(program.archive())
    }

    /// A program with its settings file, started from the class-data archive if there is one.
    pub(crate) fn launch(&self, program: Program, settings: &Path) -> Result<Launch> {
        let archive = self.archive(program);
        let sharing = archive.is_file().then(|| format!("-XX:SharedArchiveFile={}", archive.display()));
        Ok(self.base(program)?.args(sharing).args([program.class()]).args([settings]).settings(settings))
    }

    /// The same, writing the class-data archive to `archive` when it ends.
    pub(crate) fn training(&self, program: Program, settings: &Path, archive: &Path) -> Result<Launch> {
        let dump = format!("-XX:ArchiveClassesAtExit={}", archive.display());
        Ok(self.base(program)?.args([dump, program.class().to_owned()]).args([settings]))
    }

    /// Kafka's tool that formats a broker's data folder; the file says the class and its arguments.
    pub(crate) fn storage_tool(&self, arguments: &Path) -> Result<Command> {
        let log4j = self.log4j()?;
        let archive = self.archive(Program::Broker);
        let mut command = Command::new(&self.java);
        command.args(FRUGAL);
        if archive.is_file() {
            command.arg(format!("-XX:SharedArchiveFile={}", archive.display()));
        }
        command.arg(log4j).arg("-cp").arg(self.libs().join("*")).arg(format!("@{}", arguments.display()));
        Ok(command)
    }

    fn base(&self, program: Program) -> Result<Launch> {
        let heap = format!("-Xmx{}m", program.heap());
        let launch = Launch::new(&self.java)
            .args([heap, "-Djava.awt.headless=true".to_owned()])
            .args(FRUGAL)
            .args([self.log4j()?]);
        Ok(launch.args(["-cp".into(), self.libs().join("*")]))
    }

    fn log4j(&self) -> Result<String> {
        let file = self.folder.join("log4j2.properties");
        if !std::fs::read_to_string(&file).is_ok_and(|text| text == LOG4J) {
            write(&file, LOG4J)?;
        }
        Ok(format!("-Dlog4j2.configurationFile={}", file.display()))
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(Error::at(path))
}

/// Kafka's version, as the POM has it.
fn version() -> &'static str {
    let after = POM.split_once("<kafka.version>").map_or("", |(_, rest)| rest);
    after.split_once('<').map_or("unknown", |(version, _)| version)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_is_found_in_the_pom() {
        assert!(super::version().starts_with("4."), "{}", super::version());
    }
}
