//! The container engine, which starts and stops the parts.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::process::Command;

use crate::error::{Error, Result};
use crate::parts::readiness::Ready;
use crate::process::command;
use crate::progress::Progress;

/// Name of the compose project.
const PROJECT: &str = "writ";
/// How long a part may take to become ready.
const TIMEOUT: Duration = Duration::from_secs(180);
/// Interval between checks.
const POLL: Duration = Duration::from_millis(200);

/// Starts the container of a part, such as `us-kafka`, unless it is ready, and waits until it is.
pub(crate) async fn up(name: &str, ready: &Ready<'_>, progress: &Progress) -> Result<()> {
    let (step, began) = (progress.step(name.replacen('-', " ", 1)), Instant::now());
    if ready.check().await.is_err() {
        engine(&["start", &container(name).await?]).await?;
    }
    while let Err(last) = ready.check().await {
        if began.elapsed() > TIMEOUT {
            return Err(Error::Deadline { name: name.to_owned(), waited: TIMEOUT, last });
        }
        step.note(last);
        tokio::time::sleep(POLL).await;
    }
    step.done("runs");
    Ok(())
}

/// Sends a signal to the container of a part and waits until it has ended. True if it ran.
pub(crate) async fn kill(name: &str, signal: Signal) -> Result<bool> {
    let id = container(name).await?;
    let ran = engine(&["kill", "--signal", signal.as_str(), &id]).await.is_ok();
    engine(&["wait", &id]).await?;
    Ok(ran)
}

/// Stops the container of a part in an orderly way.
pub(crate) async fn stop(name: &str) -> Result<bool> {
    engine(&["stop", &container(name).await?]).await.map(|_| true)
}

/// Id of the container of a service of the compose project.
async fn container(service: &str) -> Result<String> {
    let project = format!("label=com.docker.compose.project={PROJECT}");
    let service_label = format!("label=com.docker.compose.service={service}");
    let found = engine(&["ps", "--all", "--quiet", "--filter", &project, "--filter", &service_label]).await?;
    let id = found.lines().next().map(str::to_owned);
    id.ok_or_else(|| Error::Settings(format!("there is no container {service}: docker compose up --build --wait")))
}

async fn engine(arguments: &[&str]) -> Result<String> {
    let output = command::run(Command::new("docker").args(arguments), "docker").await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
