//! What commands do with a cluster.

mod down;
mod producers;
mod provision;
pub(crate) mod status;
mod up;

use nix::sys::signal::Signal;
use writ_kafka::{ExternalProducer, ProducerKind, ProducerScope};

use crate::cluster::Cluster;
use crate::containers::engine;
use crate::error::{Error, Result};
use crate::lock;
use crate::parts::{self, prometheus};
use crate::process::supervisor::Supervisor;
use crate::progress::Progress;
use crate::region::{LocalRegion, Part};
use status::PartStatus;
use up::Startup;

/// What [`Cluster::up`] starts.
#[derive(Debug, Clone, Copy)]
pub struct UpOptions {
    /// Start the services, not only what they depend on.
    pub services: bool,
    /// Install missing packages. Root does that on Debian and Ubuntu in any case.
    pub install: bool,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self { services: true, install: false }
    }
}

impl Cluster {
    /// Starts everything and waits until it is ready. What runs with the current settings is kept, everything else is
    /// started or restarted.
    ///
    /// # Errors
    /// If something is missing, a port is taken, or a part does not become ready.
    pub async fn up(&self, options: UpOptions, progress: &Progress) -> Result<()> {
        let _lock = lock::take(self.home().root()).await?;
        if self.in_containers() {
            return containers_up(self, progress).await;
        }
        Startup::prepare(self, options.install, progress).await?.all(options.services).await
    }

    /// Starts one part of a region, unless it runs, and waits until it is ready.
    ///
    /// # Errors
    /// As [`Self::up`].
    pub async fn start(&self, region: &str, part: Part, progress: &Progress) -> Result<()> {
        let _lock = lock::take(self.home().root()).await?;
        let region = self.region(region)?;
        if self.in_containers() {
            return engine::up(&region.process(part), &self.ready(region, part), progress).await;
        }
        Startup::prepare(self, false, progress).await?.part(region, part).await
    }

    /// Stops every process of this home. Data stays.
    ///
    /// # Errors
    /// If another command works on the cluster and does not finish.
    pub async fn down(&self, progress: &Progress) -> Result<()> {
        if self.in_containers() {
            return Err(Error::Settings("the cluster runs in containers: docker compose down".to_owned()));
        }
        let _lock = lock::take(self.home().root()).await?;
        down::processes(self, progress).await;
        Ok(())
    }

    /// Sends a signal to a part and waits until it has ended. True if it ran.
    ///
    /// # Errors
    /// If there is no such region, or the container engine fails.
    pub async fn kill(&self, region: &str, part: Part, signal: Signal) -> Result<bool> {
        let name = self.region(region)?.process(part);
        if self.in_containers() {
            return engine::kill(&name, signal).await;
        }
        Ok(self.supervisor().kill(&name, signal).await)
    }

    /// Stops a part in an orderly way. True if it ran.
    ///
    /// # Errors
    /// If there is no such region, or the container engine fails.
    pub async fn stop(&self, region: &str, part: Part) -> Result<bool> {
        let name = self.region(region)?.process(part);
        if self.in_containers() {
            return engine::stop(&name).await;
        }
        Ok(self.supervisor().stop(&name, parts::ending(part)).await)
    }

    /// State of every part of every region.
    pub async fn status(&self) -> Vec<PartStatus> {
        status::of_all(self).await
    }

    /// Address of Prometheus, if it runs.
    pub fn prometheus_url(&self) -> Option<String> {
        self.supervisor().running(prometheus::NAME).map(|_| prometheus::url(prometheus::port(self.port_offset)))
    }

    /// Creates missing topics and corrects passwords and access rights at a region's Kafka.
    ///
    /// # Errors
    /// If Kafka does not answer or refuses.
    pub async fn provision(&self, region: &LocalRegion) -> Result<()> {
        provision::kafka(self, region).await
    }

    /// Registers an external producer and gives it access to every region of the running cluster.
    ///
    /// # Errors
    /// As [`Self::add_producer`], and if a region does not answer: then nothing is changed.
    pub async fn register_producer(
        &mut self,
        name: &str,
        kind: ProducerKind,
        scope: ProducerScope,
    ) -> Result<ExternalProducer> {
        producers::register(self, name, kind, scope).await
    }

    /// Revokes the access of an external producer. Its topics and records stay.
    ///
    /// # Errors
    /// If there is no such producer, or a region does not answer.
    pub async fn remove_producer(&mut self, name: &str) -> Result<()> {
        producers::remove(self, name).await
    }

    fn supervisor(&self) -> Supervisor {
        Supervisor::new(self.home().clone())
    }
}

/// Starts stopped containers and waits until every part is ready. They are provisioned by other containers, so only the
/// settings of the producers are written, with the addresses on this machine.
async fn containers_up(cluster: &Cluster, progress: &Progress) -> Result<()> {
    let parts = cluster
        .all_parts()
        .map(async |(region, part)| engine::up(&region.process(part), &cluster.ready(region, part), progress).await);
    futures::future::try_join_all(parts).await?;
    let producers = cluster.producers();
    let all = cluster.regions.iter().flat_map(|region| producers.iter().map(move |producer| (region, producer)));
    all.into_iter().try_for_each(|(region, producer)| provision::write_client_file(cluster, region, producer))
}
