//! The KRaft broker of a region.

mod settings;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use rdkafka::consumer::{BaseConsumer, Consumer};
use secrecy::ExposeSecret;
use uuid::Uuid;
use writ_kafka::access::rules::ADMINISTRATOR;
use writ_kafka::{Connection, MECHANISM};

use writ_provision::{create_folder, write_private};

use crate::error::{Error, Result};
use crate::parts::jvm::{JavaProgram, Jvm};
use crate::process::command;
use crate::process::launch::Launch;
use crate::process::supervisor::Ending;
use crate::region::LocalRegion;

pub(crate) use settings::{BrokerSecurity, BrokerSettings};

/// Time-out of a request to a broker.
const TIMEOUT: Duration = Duration::from_secs(2);
/// File that records how the data folder was formatted.
const FORMATTED: &str = "formatted";

/// A broker that can close its logs needs no recovery.
pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(20) };

/// Writes the settings into `folder` and formats its data folder on first use.
pub(crate) async fn prepare(
    jvm: &Jvm,
    folder: &Path,
    region: &LocalRegion,
    security: Option<BrokerSecurity>,
) -> Result<Launch> {
    let settings = settings_of(folder, region, security);
    let file = write_settings(folder, &settings)?;
    format(jvm, folder, &settings, &file).await?;
    let ports = [region.ports.kafka, region.ports.controller];
    Ok(jvm.launch(JavaProgram::Broker, &file)?.ports(ports))
}

/// Settings of a broker on the loopback address.
fn settings_of(folder: &Path, region: &LocalRegion, security: Option<BrokerSecurity>) -> BrokerSettings {
    let address = format!("CLIENT://{}", region.brokers());
    let controller_port = region.ports.controller;
    let (listeners, advertised) = (address.clone(), address);
    BrokerSettings { data: folder.join("data"), controller_port, listeners, advertised, security }
}

/// Writes `server.properties` and returns its path.
fn write_settings(folder: &Path, settings: &BrokerSettings) -> Result<PathBuf> {
    create_folder(folder)?;
    let file = folder.join("server.properties");
    write_private(&file, &settings.text())?;
    Ok(file)
}

/// Formats the data folder on first use.
async fn format(jvm: &Jvm, folder: &Path, settings: &BrokerSettings, file: &Path) -> Result<()> {
    let wanted = if settings.security.is_some() { "secure" } else { "plaintext" };
    let mark = folder.join(FORMATTED);
    // Has the administrator's password, and is left where formatting was cut off.
    let arguments = folder.join("format.args");
    let _ = fs::remove_file(&arguments);
    if settings.data.join("meta.properties").is_file() {
        return as_formatted(&mark, wanted);
    }
    // Kafka accepts the text of any UUID as a cluster id.
    let cluster = &Uuid::new_v4().simple().to_string()[..22];
    let mut words = format!("format --ignore-formatted -t {cluster} -c \"{}\"", file.display());
    if let Some(security) = &settings.security {
        let password = security.password.expose_secret();
        words += &format!(" --add-scram {MECHANISM}=[name={ADMINISTRATOR},password={password}]");
    }
    // Before it is true: whoever is cut off here finds the folder formatted as the mark says, or not formatted.
    fs::write(&mark, wanted).map_err(Error::at(&mark))?;
    // In a file, because every user can see the arguments of a process.
    write_private(&arguments, &format!("kafka.tools.StorageTool {words}"))?;
    let formatted = command::run(&mut jvm.storage_tool(&arguments)?, "formatting Kafka's data folder").await;
    fs::remove_file(&arguments).map_err(Error::at(&arguments))?;
    formatted.map(drop)
}

/// The administrator's password is part of the data, so security cannot be changed after formatting.
fn as_formatted(mark: &Path, wanted: &str) -> Result<()> {
    let found = fs::read_to_string(mark).unwrap_or_else(|_| "plaintext".to_owned());
    let folder = mark.parent().unwrap_or(mark).display();
    let other = || Error::Settings(format!("{folder} was formatted for {found} Kafka, not {wanted}: remove it"));
    (found == wanted).then_some(()).ok_or_else(other)
}

/// Whether the broker answers within two seconds.
pub(crate) async fn answers(kafka: &Connection) -> Result<(), String> {
    let consumer = consumer(kafka).map_err(|error| error.to_string())?;
    let asked = tokio::task::spawn_blocking(move || consumer.fetch_metadata(None, TIMEOUT).map(drop)).await;
    asked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// End offset of the first partition of a topic, if it exists.
pub(crate) async fn end_of(kafka: &Connection, topic: String) -> Option<i64> {
    let consumer = consumer(kafka).ok()?;
    let asked = tokio::task::spawn_blocking(move || consumer.fetch_watermarks(&topic, 0, TIMEOUT)).await;
    asked.ok()?.ok().map(|(_, end)| end)
}

fn consumer(kafka: &Connection) -> Result<BaseConsumer> {
    let mut config = kafka.client_config("writ-local");
    config.set("reconnect.backoff.ms", "50").set("reconnect.backoff.max.ms", "200");
    Ok(config.create()?)
}
