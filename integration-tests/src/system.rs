//! The cluster that all tests share.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use tokio::sync::OnceCell;
use writ_client::{EntityProducer, Jaeger, Management, ReadApi};
use writ_kafka::{Connection, ExternalProducer, ProducerKind, ProducerScope};
use writ_local::{
    Cluster, DEMO_PRODUCER, LocalRegion, Options, Part, Progress, Service, Signal, UpOptions, within_reach,
};

use crate::traces::Traces;

/// The regions of the cluster.
pub const REGIONS: [&str; 3] = ["us", "eu", "au"];
/// The services of each region.
pub const SERVICES: [Service; 4] = Service::ALL;

/// An external producer of commands, in every region.
pub const COMMANDER: &str = "billing";

/// Keeps clear of a cluster on the usual ports.
const PORT_OFFSET: u16 = 500;
const HOME: &str = ".writ-test";
/// Names the home of a cluster that runs already and has the regions: the tests use it instead of their own.
const TEST_HOME: &str = "WRIT_TEST_HOME";

static SYSTEM: OnceCell<System> = OnceCell::const_new();

/// Three regions of real Kafka, MirrorMaker 2, PostgreSQL and the four services.
pub struct System {
    pub(crate) cluster: Cluster,
    /// None where the cluster was there before, with a collector of its own.
    traces: Option<Traces>,
    /// Takes the cluster down when this process ends, however it ends.
    _undertaker: Option<Child>,
}

impl System {
    /// The running system; the first caller starts it.
    ///
    /// # Errors
    /// When a part does not become ready.
    pub async fn running() -> Result<&'static Self> {
        SYSTEM.get_or_try_init(Self::start).await
    }

    async fn start() -> Result<Self> {
        match std::env::var_os(TEST_HOME) {
            Some(home) => Self::found(PathBuf::from(home)).await,
            None => Self::started().await,
        }
    }

    /// A cluster that runs already, of processes or of containers, and stays.
    async fn found(home: PathBuf) -> Result<Self> {
        let mut cluster = Cluster::open(Options { home: Some(home), ..Options::default() })?;
        let missing = REGIONS.iter().find(|region| !cluster.region_codes().contains(region));
        ensure!(missing.is_none(), "the tests need the regions {}", REGIONS.join(", "));
        up(&mut cluster).await?;
        Ok(Self { cluster, traces: None, _undertaker: None })
    }

    async fn started() -> Result<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the project's folder")?;
        let home = within_reach(project.join(HOME));
        std::fs::create_dir_all(&home)?;
        let undertaker = undertaker(&home)?;
        let traces = Traces::listen()?;
        let regions = Some(REGIONS.map(str::to_owned).to_vec());
        let (home, port_offset) = (Some(home), Some(PORT_OFFSET));
        let otlp_endpoint = Some(traces.endpoint());
        let mut cluster = Cluster::open(Options { home, regions, port_offset, otlp_endpoint, ..Options::default() })?;
        cluster.jaeger_otlp_url().into_iter().for_each(|otlp| traces.hand_on_to(otlp));
        if let Err(error) = up(&mut cluster).await {
            // Ports of the third region are in the range for outgoing connections: one of those may have such a port, and
            // is closed by stopping its owner.
            let taken = matches!(error.downcast_ref(), Some(writ_local::Error::PortInUse { .. }));
            ensure!(taken, error);
            cluster.down(&Progress::new()).await?;
            up(&mut cluster).await?;
        }
        Ok(Self { cluster, traces: Some(traces), _undertaker: Some(undertaker) })
    }

    /// A client of the caller's own: connections do not outlive the runtime of the test that opened them.
    pub fn http(&self) -> reqwest::Client {
        writ_client::http()
    }

    /// The management API of a region for the holder of a token.
    pub fn management(&self, region: &str, bearer: &str) -> Management {
        Management::new(self.http(), &self.identity_url(region), bearer)
    }

    /// The management API of a region for the platform operator.
    pub fn operator(&self, region: &str) -> Management {
        self.management(region, &self.cluster.secrets.operator_token)
    }

    /// The read API of a region.
    pub fn read(&self, region: &str) -> ReadApi {
        ReadApi::new(self.http(), &self.read_url(region))
    }

    /// Another system of a region.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn entities(&self, region: &str) -> Result<EntityProducer> {
        let region = self.region(region);
        let kafka = self.cluster.kafka_of_demo(region);
        Ok(EntityProducer::new(&kafka, region.code, DEMO_PRODUCER.parse()?, "urn:test:entities")?)
    }

    /// Base address of a region's management API.
    pub fn identity_url(&self, region: &str) -> String {
        self.region(region).url(Service::Identity)
    }

    /// Names and base addresses of everything in a region that has metrics.
    pub fn measured(&self, region: &str) -> Vec<(&'static str, String)> {
        let region = self.region(region);
        let watch = ("mirror-watch", format!("http://127.0.0.1:{}", region.ports.mirror_watch));
        SERVICES.into_iter().map(|service| (service.name(), region.operations_url(service))).chain([watch]).collect()
    }

    /// Base address of a region's read API.
    pub fn read_url(&self, region: &str) -> String {
        self.region(region).url(Service::Projector)
    }

    /// External producers that are let in.
    ///
    /// # Errors
    /// When the cluster's file has a name that is not fit.
    pub fn producers(&self) -> Result<Vec<ExternalProducer>> {
        Ok(self.cluster.producers())
    }

    /// Makes topics, passwords and rights at a region's Kafka what they should be, as `writ up` does.
    ///
    /// # Errors
    /// When Kafka refuses.
    pub async fn provision(&self, region: &str) -> Result<()> {
        Ok(self.cluster.provision(self.region(region)).await?)
    }

    /// A region's Kafka, reached as its administrator.
    pub fn kafka(&self, region: &str) -> Connection {
        self.cluster.kafka_administrator(self.region(region))
    }

    /// A region's Kafka, reached as any principal of that region.
    pub fn kafka_as(&self, region: &str, principal: &str) -> Connection {
        self.cluster.kafka(self.region(region), principal)
    }

    /// Settings for librdkafka with which the demo's producer reaches a region.
    ///
    /// # Errors
    /// When the cluster has no such producer.
    pub fn client_file(&self, region: &str) -> Result<PathBuf> {
        let producers = self.cluster.producers();
        let producer = producers.first().context("a producer")?;
        Ok(self.cluster.client_file(self.region(region), producer))
    }

    /// The folder that everything of the cluster is in.
    pub fn home(&self) -> &Path {
        self.cluster.home().root()
    }

    /// Everything that the services have sent to their trace collector, if these tests started it.
    pub fn traces(&self) -> Option<Vec<u8>> {
        self.traces.as_ref().map(Traces::received)
    }

    /// Whether the parts are containers, whose files and logs the engine has.
    pub fn in_containers(&self) -> bool {
        self.cluster.in_containers()
    }

    /// The Jaeger that has the services' traces, if there is one.
    pub fn jaeger(&self) -> Option<Jaeger> {
        self.cluster.jaeger_url().map(|page| Jaeger::new(self.http(), &page))
    }

    /// `kill -9` of a service.
    ///
    /// # Errors
    /// When it did not run.
    pub async fn kill(&self, region: &str, service: Service) -> Result<()> {
        let ran = self.cluster.kill(region, Part::Service(service), Signal::SIGKILL).await?;
        ran.then_some(()).with_context(|| format!("{region} {} did not run", service.name()))
    }

    /// What `writ up` does: whatever is dead is started again.
    ///
    /// # Errors
    /// When a part does not become ready.
    pub async fn mend(&self) -> Result<()> {
        Ok(self.cluster.up(UpOptions::default(), &Progress::quiet()).await?)
    }

    #[expect(clippy::expect_used, reason = "tests name regions of REGIONS")]
    pub(crate) fn region(&self, code: &str) -> &LocalRegion {
        self.cluster.region(code).expect("a region of the cluster")
    }
}

/// Brings the cluster up, with the producers that the tests need.
async fn up(cluster: &mut Cluster) -> Result<()> {
    cluster.add_producer(COMMANDER, ProducerKind::Commands, ProducerScope::ALL)?;
    Ok(cluster.up(UpOptions::default(), &Progress::new()).await?)
}

/// A process that waits for the end of this one, which closes its standard input, and runs `writ down`.
/// Returns once the undertaker of an earlier test program has done its work.
fn undertaker(home: &Path) -> Result<Child> {
    let current = std::env::current_exe()?;
    let folder = current.parent().and_then(Path::parent).context("a target folder")?;
    let script = r#"exec 9>"$1/undertaker"; flock 9; echo; cat >/dev/null; exec "$0" --home "$1" down >&2"#;
    let mut command = Command::new("setsid");
    command.args(["sh", "-c", script]).arg(folder.join("writ")).arg(home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut undertaker = command.spawn().context("setsid sh")?;
    let waiting = undertaker.stdout.as_mut().context("standard output")?;
    waiting.read_exact(&mut [0]).context("the undertaker's word (it needs setsid and flock)")?;
    Ok(undertaker)
}
