//! Bringing a cluster up, or mending it: what runs is found, what is dead is started.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use futures::try_join;

use crate::addresses::LOOPBACK;
use crate::cluster::{Cluster, LocalRegion};
use crate::error::{Error, Result};
use crate::launch::Launch;
use crate::part::Part;
use crate::progress::{Progress, Step};
use crate::readiness::Ready;
use crate::services;
use crate::supervisor::{Ending, GLANCE, Started};
use crate::tools::Tools;
use crate::{jaeger, kafka, lock, mirror, mirror_watch, prometheus};

/// How long a part may take until it is ready. Loaded machines are slow; dead parts are found at once.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a part that was found running may take. A mirror whose task has failed runs on and
/// moves nothing: only a new start helps.
const STUCK: Duration = Duration::from_secs(60);
/// How often a part is started before its end is an error: leftovers of a killed predecessor
/// may still be going.
const ATTEMPTS: usize = 3;

/// What is brought up.
#[derive(Debug, Clone, Copy)]
pub struct UpOptions {
    /// The services too, not only what they stand on.
    pub services: bool,
    /// Whether missing packages may be installed. Root on Debian and Ubuntu always may.
    pub install: bool,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self { services: true, install: false }
    }
}

/// A part on its way up.
pub(crate) struct Rising<'a> {
    pub(crate) name: String,
    pub(crate) launch: Launch,
    pub(crate) ending: Ending,
    pub(crate) ready: Ready<'a>,
}

impl Cluster {
    /// Brings everything up and waits until it is ready. What runs already stays; what runs with
    /// old settings, or is dead, is started again.
    ///
    /// # Errors
    /// When something is missing, a port is taken, or a part does not become ready.
    pub async fn up(&self, options: UpOptions, progress: &Progress) -> Result<()> {
        let _lock = lock::take(self.home().root()).await?;
        if self.in_containers {
            return self.containers_up(progress).await;
        }
        let mut tools = self.tools(options.install, progress).await?;
        self.stop_unwanted().await;
        tools.reserved = self.reserve().await;
        let foundations = self.regions.iter().map(|region| self.foundation(region, &tools, progress));
        try_join!(try_join_all(foundations), self.jaeger_up(progress), self.prometheus_up(progress))?;
        let rest = self.regions.iter().map(|region| self.on_top(region, &tools, options, progress));
        try_join_all(rest).await.map(drop)
    }

    /// Starts one part of a region, if it does not run, and waits until it is ready.
    ///
    /// # Errors
    /// As [`Self::up`].
    pub async fn start(&self, region: &str, part: Part, progress: &Progress) -> Result<()> {
        let _lock = lock::take(self.home().root()).await?;
        if self.in_containers {
            return self.container_up(self.region(region)?, part, progress).await;
        }
        let tools = self.tools(false, progress).await?;
        self.part_up(self.region(region)?, part, &tools, progress).await
    }

    /// What a region's services stand on.
    async fn foundation(&self, region: &LocalRegion, tools: &Tools, progress: &Progress) -> Result<()> {
        let postgres = self.part_up(region, Part::Postgres, tools, progress);
        let kafka = self.part_up(region, Part::Kafka, tools, progress);
        try_join!(postgres, kafka).map(drop)
    }

    /// Mirrors start when every region's topics exist: then they find all of them at once.
    async fn on_top(&self, region: &LocalRegion, tools: &Tools, options: UpOptions, progress: &Progress) -> Result<()> {
        let parts = self.parts().filter(|part| match part {
            Part::Postgres | Part::Kafka => false,
            Part::Mirror => true,
            Part::MirrorWatch | Part::Service(_) => options.services,
        });
        try_join_all(parts.map(|part| self.part_up(region, part, tools, progress))).await.map(drop)
    }

    async fn part_up(&self, region: &LocalRegion, part: Part, tools: &Tools, progress: &Progress) -> Result<()> {
        let step = progress.step(format!("{} {}", region.code, part.name()));
        let rising = self.rising(region, part, tools).await?;
        tools.reserved.release(&rising.launch.ports);
        let began = self.raise(&rising, &step).await?;
        match part {
            Part::Postgres => self.provision_databases(region).await?,
            Part::Kafka => self.provision(region).await?,
            Part::Mirror | Part::MirrorWatch | Part::Service(_) => {}
        }
        step.done(if began == Started::Found { "runs" } else { "started" });
        Ok(())
    }

    async fn rising<'a>(&'a self, region: &LocalRegion, part: Part, tools: &Tools) -> Result<Rising<'a>> {
        let folder = self.home.region(region.code.as_str())?;
        let launch = match part {
            Part::Postgres => tools.postgres.prepare(&folder, &self.administration(region)).await?,
            Part::Kafka => {
                let folder = folder.join("kafka");
                let security = self.broker_security(region, &folder)?;
                kafka::prepare(&tools.jvm, &folder, region, security).await?
            }
            Part::Mirror => mirror::prepare(&tools.jvm, &folder, &self.aliases(region), region)?,
            Part::MirrorWatch => mirror_watch::prepare(self, region, &folder)?,
            Part::Service(service) => services::prepare(self, region, service)?,
        };
        Ok(Rising { name: region.process(part), launch, ending: part.ending(), ready: self.ready(region, part) })
    }

    pub(crate) fn ready(&self, region: &LocalRegion, part: Part) -> Ready<'_> {
        match part {
            Part::Postgres => Ready::Postgres(self.administration(region)),
            Part::Kafka => Ready::Kafka(self.kafka_administrator(region)),
            Part::Mirror => {
                let kafka = self.kafka_administrator(region);
                Ready::Mirror(mirror::Flow::into_region(&self.regions, region, &kafka))
            }
            Part::MirrorWatch => Ready::Http(format!("http://{LOOPBACK}:{}/readyz", region.ports.mirror_watch)),
            Part::Service(service) => Ready::Http(format!("{}/readyz", region.url(service))),
        }
    }

    /// Starts a part, again if it ends at once or was found and does not work, and waits until
    /// it is ready.
    pub(crate) async fn raise(&self, part: &Rising<'_>, step: &Step) -> Result<Started> {
        let mut attempt = 1;
        loop {
            let started = self.supervisor().ensure(&part.name, &part.launch, part.ending).await?;
            let patience = if started == Started::Found { STUCK } else { PATIENCE };
            match self.wait(part, patience, step).await {
                Ok(()) => return Ok(started),
                Err(Error::Exited { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(Error::Deadline { .. }) if started == Started::Found => {
                    step.long("runs but does not work: starting it again");
                    self.supervisor().stop(&part.name, part.ending).await;
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(GLANCE * 10).await;
        }
    }

    async fn wait(&self, part: &Rising<'_>, patience: Duration, step: &Step) -> Result<()> {
        let began = Instant::now();
        while let Err(last) = part.ready.look().await {
            self.supervisor().still_runs(&part.name)?;
            if began.elapsed() > patience {
                return Err(Error::Deadline { name: part.name.clone(), waited: patience, last });
            }
            step.note(last);
            tokio::time::sleep(GLANCE).await;
        }
        Ok(())
    }

    async fn jaeger_up(&self, progress: &Progress) -> Result<()> {
        let Some(program) = jaeger::find() else { return Ok(()) };
        let step = progress.step(jaeger::NAME);
        let ports = jaeger::Ports::of(self.port_offset);
        let launch = jaeger::prepare(program, self.home.root(), ports)?;
        let ready = Ready::Http(format!("http://127.0.0.1:{}/", ports.page));
        let rising = Rising { name: jaeger::NAME.to_owned(), launch, ending: jaeger::ENDING, ready };
        let began = self.raise(&rising, &step).await?;
        step.done(if began == Started::Found { "runs" } else { "started" });
        Ok(())
    }

    /// Processes of regions that the cluster no longer has.
    async fn stop_unwanted(&self) {
        let wanted = |name: &String| {
            let mut names = self.regions.iter().flat_map(|region| self.parts().map(|part| region.process(part)));
            [jaeger::NAME, prometheus::NAME].contains(&name.as_str()) || names.any(|wanted| wanted == *name)
        };
        for name in self.supervisor().names().into_iter().filter(|name| !wanted(name)) {
            self.supervisor().stop(&name, services::ENDING).await;
        }
    }
}
