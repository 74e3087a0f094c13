//! Taking a cluster down, and ending single parts of it.

use futures::future::join_all;
use nix::sys::signal::Signal;

use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::part::Part;
use crate::progress::Progress;
use crate::supervisor::{Ending, end};
use crate::{jaeger, kafka, lock, mirror, postgres, services, strays};

impl Part {
    pub(crate) fn ending(self) -> Ending {
        match self {
            Self::Postgres => postgres::ENDING,
            Self::Kafka => kafka::ENDING,
            Self::Mirror => mirror::ENDING,
            Self::MirrorWatch | Self::Service(_) => services::ENDING,
        }
    }

    /// Whether others stand on it, and so have to end first.
    fn is_foundation(self) -> bool {
        matches!(self, Self::Postgres | Self::Kafka)
    }

    /// The part that a process with this name is, such as `us-kafka`.
    fn of_process(name: &str) -> Option<Self> {
        let (_, part) = name.split_once('-')?;
        Self::all().find(|candidate| candidate.name() == part)
    }
}

impl Cluster {
    /// Ends every process of this home: services and mirrors first, then what they stand on.
    /// Data stays.
    ///
    /// # Errors
    /// When another command works on the cluster and does not finish.
    pub async fn down(&self, progress: &Progress) -> Result<()> {
        if self.in_containers {
            return Err(Error::Settings("the cluster runs in containers: docker compose down".to_owned()));
        }
        let _lock = lock::take(self.home().root()).await?;
        let names = self.supervisor().names();
        let (below, above): (Vec<_>, Vec<_>) =
            names.iter().partition(|name| Part::of_process(name).is_some_and(Part::is_foundation));
        for names in [above, below] {
            join_all(names.iter().map(|name| self.end_process(name, progress))).await;
        }
        for stray in strays::all(self.home()) {
            end(&stray, services::ENDING).await;
        }
        Ok(())
    }

    /// Sends a signal to a part and waits until it is gone. True if it ran.
    ///
    /// # Errors
    /// When there is no such region.
    pub async fn kill(&self, region: &str, part: Part, signal: Signal) -> Result<bool> {
        let name = self.region(region)?.process(part);
        if self.in_containers {
            return self.container_kill(&name, signal).await;
        }
        Ok(self.supervisor().kill(&name, signal).await)
    }

    /// Ends a part in an orderly way. True if it ran.
    ///
    /// # Errors
    /// When there is no such region.
    pub async fn stop(&self, region: &str, part: Part) -> Result<bool> {
        let name = self.region(region)?.process(part);
        if self.in_containers {
            return self.container_stop(&name).await;
        }
        Ok(self.supervisor().stop(&name, part.ending()).await)
    }

    async fn end_process(&self, name: &str, progress: &Progress) {
        let step = progress.step(name.replacen('-', " ", 1));
        let ending = Part::of_process(name).map_or(jaeger::ENDING, Part::ending);
        if self.supervisor().stop(name, ending).await {
            step.done("stopped");
        }
    }
}
