//! One KRaft broker for each region.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use uuid::Uuid;

use crate::cluster::{LocalRegion, Part};
use crate::command;
use crate::error::{Error, Result};
use crate::home::create;
use crate::jvm::{Jvm, Program};
use crate::launch::Launch;
use crate::supervisor::Ending;

const SETTINGS: &str = include_str!("../../../infra/kafka/server.properties");
/// How long one question to a broker may take.
const ASK: Duration = Duration::from_secs(2);

/// A broker closes its logs cleanly, which spares it a recovery.
pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(20) };

/// Writes the settings into `folder`, formats its data folder once, and says how to start.
pub(crate) async fn prepare(jvm: &Jvm, folder: &Path, region: &LocalRegion) -> Result<Launch> {
    let settings = write_settings(folder, region)?;
    format(jvm, folder, &settings).await?;
    let ports = [region.ports.kafka, region.ports.controller];
    Ok(jvm.launch(Program::Broker, &settings)?.ports(ports))
}

/// Writes `server.properties` and returns its path.
pub(crate) fn write_settings(folder: &Path, region: &LocalRegion) -> Result<std::path::PathBuf> {
    create(folder)?;
    let text = SETTINGS
        .replace("${data}", &folder.join("data").display().to_string())
        .replace("${bind}", "127.0.0.1")
        .replace("${host}", "127.0.0.1")
        .replace("${port}", &region.ports.kafka.to_string())
        .replace("${controller_port}", &region.ports.controller.to_string());
    let file = folder.join("server.properties");
    fs::write(&file, text).map_err(Error::at(&file))?;
    Ok(file)
}

/// Formats the data folder, unless that has been done.
pub(crate) async fn format(jvm: &Jvm, folder: &Path, settings: &Path) -> Result<()> {
    if folder.join("data/meta.properties").is_file() {
        return Ok(());
    }
    let mut tool = jvm.storage_tool()?;
    // Kafka's cluster ids are UUIDs; it takes the text of any.
    tool.args(["format", "--ignore-formatted", "-t", &Uuid::new_v4().simple().to_string()[..22], "-c"]).arg(settings);
    command::run(&mut tool, "formatting Kafka's data folder").await.map(drop)
}

/// Whether the broker answers, within two seconds.
pub(crate) async fn answers(brokers: &str) -> Result<(), String> {
    let consumer = consumer(brokers).map_err(|error| error.to_string())?;
    let asked = tokio::task::spawn_blocking(move || consumer.fetch_metadata(None, ASK).map(drop)).await;
    asked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// The end of a topic's first partition; none if there is no such topic.
pub(crate) async fn end_of(brokers: &str, topic: String) -> Option<i64> {
    let consumer = consumer(brokers).ok()?;
    let asked = tokio::task::spawn_blocking(move || consumer.fetch_watermarks(&topic, 0, ASK)).await;
    asked.ok()?.ok().map(|(_, end)| end)
}

fn consumer(brokers: &str) -> Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("reconnect.backoff.ms", "50").set("reconnect.backoff.max.ms", "200");
    Ok(config.create()?)
}

impl LocalRegion {
    /// Where clients reach this region's Kafka.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.ports.kafka)
    }

    /// Name of one of this region's processes, such as `us-kafka`.
    pub fn process(&self, part: Part) -> String {
        format!("{}-{}", self.code, part.name())
    }
}
