//! Kafka's jars, and the JVMs that run them.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use writ_provision::create_folder;

use crate::error::{Error, Result};
use crate::process::command;
use crate::process::launch::Launch;

const POM: &str = include_str!("../../../../infra/kafka/pom.xml");
const LOG4J: &str = include_str!("../../../../infra/kafka/log4j2.properties");
/// Several JVMs share a small machine: the serial collector has the smallest footprint, and the C1 compiler is fast at
/// once, where C2 takes minutes of processor time before it is faster.
const FRUGAL: [&str; 2] = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/// The two programs in the jars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JavaProgram {
    Broker,
    Mirror,
}

impl JavaProgram {
    fn class(self) -> &'static str {
        match self {
            Self::Broker => "kafka.Kafka",
            Self::Mirror => "org.apache.kafka.connect.mirror.MirrorMaker",
        }
    }

    /// Maximum heap in MiB. Both programs of two regions stay far below 3 GiB.
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
    /// The jars in the cache, whether or not they have been fetched.
    pub(crate) fn new(java: PathBuf, cache: &Path) -> Self {
        Self { java, folder: cache.join(format!("kafka-{}", version())) }
    }

    fn libs(&self) -> PathBuf {
        self.folder.join("libs")
    }

    /// Whether the jars have been fetched.
    pub(crate) fn is_fetched(&self) -> bool {
        self.libs().is_dir()
    }

    /// Fetches the jars with Maven, all or none.
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

    /// A program with its settings file.
    pub(crate) fn launch(&self, program: JavaProgram, settings: &Path) -> Result<Launch> {
        let heap = format!("-Xmx{}m", program.heap());
        let launch = Launch::new(&self.java).args([heap, "-Djava.awt.headless=true".to_owned()]).args(FRUGAL);
        let launch = launch.args([self.log4j()?]).args(["-cp".into(), self.libs().join("*")]);
        Ok(launch.args([program.class()]).args([settings]).settings(settings))
    }

    /// Kafka's tool that formats the data folder of a broker, with the arguments in a file.
    pub(crate) fn storage_tool(&self, arguments: &Path) -> Result<Command> {
        let mut command = Command::new(&self.java);
        command
            .args(FRUGAL)
            .arg(self.log4j()?)
            .arg("-cp")
            .arg(self.libs().join("*"))
            .arg(format!("@{}", arguments.display()));
        Ok(command)
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
