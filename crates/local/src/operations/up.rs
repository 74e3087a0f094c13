//! Starting the processes of a cluster: what runs is kept, what has ended is started again.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use futures::try_join;
use writ_kafka::access::rules;
use writ_provision::certificates::Authority;
use writ_provision::{Service, create_folder};

use crate::cluster::{Cluster, settings};
use crate::error::{Error, Result};
use crate::operations::provision;
use crate::parts::jaeger::{self, JaegerPorts};
use crate::parts::kafka::{self, BrokerSecurity};
use crate::parts::readiness::Ready;
use crate::parts::services::{self, ProgramPorts, ProgramSettings};
use crate::parts::tools::Tools;
use crate::parts::{self, mirror, prometheus};
use crate::process::launch::Launch;
use crate::process::supervisor::{Ending, POLL, Started, Supervisor};
use crate::progress::{Progress, ProgressStep};
use crate::region::{LOOPBACK, LocalRegion, Part};

/// How long a part may take to become ready. Busy machines are slow; a part that ends is noticed at once.
const TIMEOUT: Duration = Duration::from_secs(180);
/// The same for a part that ran before. A mirror with a failed task needs a restart.
const RUNNING_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a part is started before its end is an error, because a killed predecessor may not have released everything.
const ATTEMPTS: usize = 3;
/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// Program of mirror-watch.
const MIRROR_WATCH: &str = "writ-mirror-watch";

/// One run of `writ up`.
pub(super) struct Startup<'a> {
    cluster: &'a Cluster,
    supervisor: Supervisor,
    tools: Tools,
    progress: &'a Progress,
}

/// A process to be started, and how to tell that it is ready.
struct Starting<'a> {
    name: String,
    launch: Launch,
    ending: Ending,
    ready: Ready<'a>,
}

impl<'a> Startup<'a> {
    /// Finds what is needed on the machine.
    pub(super) async fn prepare(cluster: &'a Cluster, install: bool, progress: &'a Progress) -> Result<Self> {
        let tools = Tools::find(cluster.home().cache(), install, progress).await?;
        Ok(Self { cluster, supervisor: Supervisor::new(cluster.home().clone()), tools, progress })
    }

    /// Starts all parts. Mirrors start once every region has its topics, so that they find all of them.
    pub(super) async fn all(&self, services: bool) -> Result<()> {
        self.stop_unwanted().await;
        provision::write_scopes(self.cluster)?;
        let regions = &self.cluster.regions;
        let foundations = regions.iter().map(|region| self.foundation(region));
        try_join!(try_join_all(foundations), self.jaeger(), self.prometheus())?;
        try_join_all(regions.iter().map(|region| self.others(region, services))).await.map(drop)
    }

    /// Starts a part and waits until it is ready.
    pub(super) async fn part(&self, region: &LocalRegion, part: Part) -> Result<()> {
        let step = self.progress.step(format!("{} {}", region.code, part.name()));
        let (launch, ready) = (self.launch(region, part).await?, self.cluster.ready(region, part));
        let starting = Starting { name: region.process(part), launch, ending: parts::ending(part), ready };
        let started = self.start(&starting, &step).await?;
        match part {
            Part::Postgres => provision::databases(self.cluster, region).await?,
            Part::Kafka => provision::kafka(self.cluster, region).await?,
            Part::Mirror | Part::MirrorWatch | Part::Service(_) => {}
        }
        step.done(describe(started));
        Ok(())
    }

    async fn foundation(&self, region: &LocalRegion) -> Result<()> {
        try_join!(self.part(region, Part::Postgres), self.part(region, Part::Kafka)).map(drop)
    }

    async fn others(&self, region: &LocalRegion, services: bool) -> Result<()> {
        let parts = self.cluster.parts().filter(|part| match part {
            Part::Postgres | Part::Kafka => false,
            Part::Mirror => true,
            Part::MirrorWatch | Part::Service(_) => services,
        });
        try_join_all(parts.map(|part| self.part(region, part))).await.map(drop)
    }

    async fn launch(&self, region: &LocalRegion, part: Part) -> Result<Launch> {
        let (cluster, tools) = (self.cluster, &self.tools);
        let folder = cluster.home().region(region.code.as_str())?;
        match part {
            Part::Postgres => tools.postgres.prepare(&folder, &cluster.administration(region)).await,
            Part::Kafka => {
                let folder = folder.join("kafka");
                let security = self.broker_security(region, &folder)?;
                kafka::prepare(&tools.jvm, &folder, region, security).await
            }
            Part::Mirror => mirror::prepare(&tools.jvm, &folder, &cluster.aliases(region), region),
            Part::MirrorWatch => {
                let mut settings = settings::of_mirror_watch(cluster, region);
                settings.push(("mirror_restart_file", mirror::restart_file(&folder).display().to_string()));
                let ports = ProgramPorts { api: None, operations: region.ports.mirror_watch };
                self.program(MIRROR_WATCH, ports, settings)
            }
            Part::Service(service) => {
                let mut settings = settings::of_service(cluster, region, service);
                if service == Service::Authorization {
                    settings.push(("entity_producers", cluster.scopes_file().display().to_string()));
                }
                let (api, operations) = (region.port(service), region.operations_port(service));
                let ports = ProgramPorts { api: Some(api).filter(|port| *port != operations), operations };
                self.program(&service.binary(), ports, settings)
            }
        }
    }

    fn program(&self, binary: &str, ports: ProgramPorts, mut settings: ProgramSettings) -> Result<Launch> {
        settings.extend(self.cluster.collector().map(|endpoint| ("otlp_endpoint", endpoint)));
        services::prepare(&provision::programs(self.cluster)?, binary, ports, settings)
    }

    /// Broker-side TLS and SASL settings, with the certificate in `folder`.
    fn broker_security(&self, region: &LocalRegion, folder: &Path) -> Result<Option<BrokerSecurity>> {
        let (cluster, code) = (self.cluster, region.code.as_str());
        if cluster.plaintext_kafka {
            return Ok(None);
        }
        create_folder(folder)?;
        let hosts = ["localhost".to_owned(), LOOPBACK.to_owned()];
        Authority::open(&cluster.authority())?.certify_broker(code, &hosts, folder)?;
        let password = cluster.kafka_password(code, rules::ADMINISTRATOR);
        Ok(Some(BrokerSecurity { region: code.to_owned(), tls: folder.to_path_buf(), password }))
    }

    /// Starts a process and waits until it is ready. It is started again if it ends at once, or if it ran before and does
    /// not become ready.
    async fn start(&self, starting: &Starting<'_>, step: &ProgressStep) -> Result<Started> {
        let mut attempt = 1;
        loop {
            let started = self.supervisor.ensure(&starting.name, &starting.launch, starting.ending).await?;
            let timeout = if started == Started::Found { RUNNING_TIMEOUT } else { TIMEOUT };
            match self.wait(starting, timeout, step).await {
                Ok(()) => return Ok(started),
                Err(Error::Exited { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(Error::Deadline { .. }) if started == Started::Found => {
                    step.long("runs but is not ready: restarting it");
                    self.supervisor.stop(&starting.name, starting.ending).await;
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn wait(&self, starting: &Starting<'_>, timeout: Duration, step: &ProgressStep) -> Result<()> {
        let began = Instant::now();
        while let Err(last) = starting.ready.check().await {
            self.supervisor.still_runs(&starting.name)?;
            if began.elapsed() > timeout {
                return Err(Error::Deadline { name: starting.name.clone(), waited: timeout, last });
            }
            step.note(last);
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    async fn jaeger(&self) -> Result<()> {
        let Some(program) = jaeger::find() else { return Ok(()) };
        let step = self.progress.step(jaeger::NAME);
        let ports = JaegerPorts::of(self.cluster.port_offset);
        let launch = jaeger::prepare(program, self.cluster.home().root(), ports)?;
        let ready = Ready::Http(format!("http://{LOOPBACK}:{}/", ports.page));
        let starting = Starting { name: jaeger::NAME.to_owned(), launch, ending: jaeger::ENDING, ready };
        let started = self.start(&starting, &step).await?;
        step.done(describe(started));
        Ok(())
    }

    /// A cluster works without Prometheus, whose port may be taken by that of the machine, so a failure is only shown.
    async fn prometheus(&self) -> Result<()> {
        let Some(program) = prometheus::find() else { return Ok(()) };
        let (step, port) = (self.progress.step(prometheus::NAME), prometheus::port(self.cluster.port_offset));
        let folder = self.cluster.home().root().join(prometheus::NAME);
        let launch = prometheus::prepare(program, &folder, &self.cluster.regions, port)?;
        let ready = Ready::Http(format!("{}/-/ready", prometheus::url(port)));
        let starting = Starting { name: prometheus::NAME.to_owned(), launch, ending: prometheus::ENDING, ready };
        match self.start(&starting, &step).await {
            Ok(started) => step.done(describe(started)),
            Err(error) => step.done(&format!("left out: {error}")),
        }
        Ok(())
    }

    /// Stops the processes of regions that the cluster no longer has.
    async fn stop_unwanted(&self) {
        let parts = self.cluster.all_parts().map(|(region, part)| region.process(part));
        let wanted: Vec<String> = parts.chain([jaeger::NAME, prometheus::NAME].map(str::to_owned)).collect();
        for name in self.supervisor.names().into_iter().filter(|name| !wanted.contains(name)) {
            self.supervisor.stop(&name, services::ENDING).await;
        }
    }
}

fn describe(started: Started) -> &'static str {
    match started {
        Started::Found => "runs",
        Started::Now => "started",
    }
}
