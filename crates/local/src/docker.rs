//! A cluster whose parts run in the containers of `docker-compose.yml`, as seen from the machine: the same ports and
//! secrets, but the engine starts and ends the parts.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use nix::sys::signal::Signal;
use tokio::process::Command;

use crate::cluster::{Cluster, LocalRegion};
use crate::command;
use crate::error::{Error, Result};
use crate::part::Part;
use crate::progress::Progress;
use crate::supervisor::GLANCE;

/// Folder of what the cluster of containers gives an operator, in the home of this machine's own.
pub(crate) const FOLDER: &str = "compose";
/// Name of the compose project.
const PROJECT: &str = "writ";
/// How long a port may take to answer.
const KNOCK: Duration = Duration::from_millis(300);
/// How long a part may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where the cluster of containers has left what an operator needs, if it ever ran.
pub(crate) fn home(own: &Path) -> Option<PathBuf> {
    let folder = own.join(FOLDER);
    folder.join("cluster.json").is_file().then_some(folder)
}

/// Whether somebody listens on a port of this machine.
pub(crate) fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), KNOCK).is_ok()
}

impl Cluster {
    /// Starts containers that were stopped, and waits until every part is ready.
    pub(crate) async fn containers_up(&self, progress: &Progress) -> Result<()> {
        let parts: Vec<(&LocalRegion, Part)> =
            self.regions.iter().flat_map(|region| self.parts().map(move |part| (region, part))).collect();
        try_join_all(parts.iter().map(|(region, part)| self.container_up(region, *part, progress))).await?;
        // Provisioned from inside, where other addresses count.
        let producers = self.producers()?;
        let all = self.regions.iter().flat_map(|region| producers.iter().map(move |producer| (region, producer)));
        all.into_iter().try_for_each(|(region, producer)| self.write_client_file(region, producer))
    }

    pub(crate) async fn container_up(&self, region: &LocalRegion, part: Part, progress: &Progress) -> Result<()> {
        let step = progress.step(format!("{} {}", region.code, part.name()));
        let (ready, name, began) = (self.ready(region, part), region.process(part), Instant::now());
        if ready.look().await.is_err() {
            engine(&["start", &container(&name).await?]).await?;
        }
        while let Err(last) = ready.look().await {
            if began.elapsed() > PATIENCE {
                return Err(Error::Deadline { name, waited: PATIENCE, last });
            }
            step.note(last);
            tokio::time::sleep(GLANCE * 4).await;
        }
        step.done("runs");
        Ok(())
    }

    /// Sends a signal to the container of a part, and waits until it has ended.
    pub(crate) async fn container_kill(&self, name: &str, signal: Signal) -> Result<bool> {
        let id = container(name).await?;
        let ran = engine(&["kill", "--signal", signal.as_str(), &id]).await.is_ok();
        engine(&["wait", &id]).await?;
        Ok(ran)
    }

    /// Ends the container of a part in an orderly way.
    pub(crate) async fn container_stop(&self, name: &str) -> Result<bool> {
        engine(&["stop", &container(name).await?]).await.map(|_| true)
    }
}

/// The id of the container of a service of the compose project.
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
