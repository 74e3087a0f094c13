//! The lifecycle of a service's process: settings, telemetry, operational routes, wiring, running, draining.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use futures::FutureExt;
use serde_json::Value;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{self, Common, ConfigError, ServiceSettings};
use crate::database::DatabaseUrl;
use crate::health::{Health, ReadinessCheck};
use crate::http::{self, ConnectionLimits, Operations, RequestLimits, Routes};
use crate::telemetry::{Program, Telemetry};
use crate::{database, loops, shutdown};

/// How long background tasks may take to end after shutdown.
const DRAIN: Duration = Duration::from_secs(10);
/// Exit code for missing or invalid settings (`EX_CONFIG`): a restart would not help.
const BAD_CONFIGURATION: u8 = 78;

/// The running process, as the function that wires it sees it. Clones share it.
#[derive(Clone)]
pub struct Service {
    /// The settings all services have.
    pub common: Common,
    /// The readiness checks.
    pub health: Health,
    /// Cancelled when the process should stop.
    pub shutdown: CancellationToken,
    pub(crate) operations: Operations,
    routes: Routes,
    parts: TaskTracker,
    failures: UnboundedSender<anyhow::Error>,
    wired: ReadinessCheck,
}

impl Service {
    /// Opens the service's database and migrates it. Waits while the server is unreachable; `/readyz` says why.
    ///
    /// # Errors
    /// If a migration fails.
    pub async fn database(&self, url: &DatabaseUrl, migrator: &Migrator) -> anyhow::Result<PgPool> {
        let check = self.health.check("database");
        let options = url.options().application_name(self.operations.name());
        let pool =
            database::open(options, migrator, &check).await.context("the database cannot be brought up to date")?;
        tokio::spawn(database::watch(pool.clone(), check));
        let measured = pool.clone();
        self.operations.gauges(move || database::measure("main", &measured));
        Ok(pool)
    }

    /// Another pool of at most `size` connections to the service's own database, for what must not take those of the first.
    pub fn second_pool(&self, name: &'static str, url: &DatabaseUrl, size: u32) -> PgPool {
        let pool = database::second_pool(url.options().application_name(self.operations.name()), size);
        let measured = pool.clone();
        self.operations.gauges(move || database::measure(name, &measured));
        pool
    }

    /// Runs a background task, which should end on `shutdown`. The process ends if the task fails or panics.
    pub fn spawn<F>(&self, name: &'static str, part: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let failures = self.failures.clone();
        self.parts.spawn(async move {
            let ended = tokio::spawn(part).await.context("panicked").flatten();
            if let Err(error) = ended {
                // The receiver is gone only if the process is stopping already.
                let _ = failures.send(error.context(name));
            }
        });
    }

    /// Adds a member to the JSON of `/status`, computed for each request. It must not contain personal data or secrets.
    pub fn status<F>(&self, name: &'static str, section: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Value> + Send + 'static,
    {
        self.operations.section(name, section);
    }

    /// Like [`Service::status`], but only included in `/status?<parameter>=1`.
    pub fn status_on_request<F>(
        &self,
        parameter: &'static str,
        name: &'static str,
        section: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Value> + Send + 'static,
    {
        self.operations.section_on_request(parameter, name, section);
    }

    /// Opens the service's own routes, which answer 503 until then. The settings say how many requests may be in flight.
    pub fn routes(&self, routes: Router, limits: RequestLimits) {
        let concurrent = self.common.max_requests;
        let concurrent_per_organization = self.common.max_requests_per_organization;
        let rate_per_organization = self.common.max_request_rate_per_organization;
        self.routes
            .open(routes, RequestLimits { concurrent, concurrent_per_organization, rate_per_organization, ..limits });
    }
}

/// Runs a service: reads its settings, starts telemetry and the operational routes, lets `wire` start its tasks, and
/// waits for a shutdown signal or for a task that fails.
pub async fn run<S, F>(program: Program, wire: impl FnOnce(Service, S) -> F) -> ExitCode
where
    S: ServiceSettings,
    F: Future<Output = anyhow::Result<()>>,
{
    match life(program, wire).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let configuration = error.chain().any(|cause| cause.is::<ConfigError>());
            // Telemetry may not be running yet.
            eprintln!("{}: {error:#}", program.name);
            if configuration { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
        }
    }
}

async fn life<S, F>(program: Program, wire: impl FnOnce(Service, S) -> F) -> anyhow::Result<()>
where
    S: ServiceSettings,
    F: Future<Output = anyhow::Result<()>>,
{
    let (common, own) = config::load::<S>()?;
    let telemetry = Telemetry::start(program, &common)?;
    let (service, failures) = start(program, common, &telemetry).await?;
    tracing::info!(version = program.version, region = %service.common.region, operations = %service.common.operations_listen, "started");
    let outcome = until_stopped(&service, failures, wire(service.clone(), own)).await;
    if let Err(error) = &outcome {
        tracing::error!(error = format!("{error:#}"), "giving up");
    }
    drain(&service).await;
    telemetry.stop().await;
    outcome
}

/// Opens the ports and serves the operational routes.
async fn start(
    program: Program,
    common: Common,
    telemetry: &Telemetry,
) -> anyhow::Result<(Service, UnboundedReceiver<anyhow::Error>)> {
    let operations_listener = listen("WRIT_OPERATIONS_LISTEN", common.operations_listen).await?;
    let listener = match common.listen {
        Some(address) => Some(listen("WRIT_LISTEN", address).await?),
        None => None,
    };
    let health = Health::default();
    // Not ready before wiring has registered all checks.
    let wired = health.check("start");
    let operations = Operations::new(program, common.region, health.clone(), telemetry.metrics());
    loops::show(&health, &operations);
    let shutdown = shutdown::on_signal()?;
    let (failures, seen) = unbounded_channel();
    let (routes, parts) = (Routes::default(), TaskTracker::new());
    let service = Service { common, health, shutdown, operations, routes, parts, failures, wired };
    let server = http::serve_operations(operations_listener, service.operations.clone(), service.shutdown.clone());
    service.spawn("operational HTTP server", server.map(Ok));
    if let Some(listener) = listener {
        let limits = connection_limits(&service.common);
        let (operations, routes) = (service.operations.clone(), service.routes.clone());
        let server = http::serve(listener, operations, routes, limits, service.shutdown.clone());
        service.spawn("HTTP server", server.map(Ok));
    }
    Ok((service, seen))
}

async fn listen(variable: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| anyhow::anyhow!("{variable}: {address}: {error}"))
}

/// What the settings say, as far as the process may have file descriptors.
fn connection_limits(common: &Common) -> ConnectionLimits {
    let total = common.max_connections.min(http::descriptors_for_connections());
    if total < common.max_connections {
        tracing::warn!(total, "WRIT_MAX_CONNECTIONS is more than the file descriptors of the process allow");
    }
    ConnectionLimits { total, per_address: common.max_connections_per_address, ..ConnectionLimits::PUBLIC }
}

/// Wires the service, which may wait for other systems, and returns on shutdown or when a task fails.
async fn until_stopped(
    service: &Service,
    mut failures: UnboundedReceiver<anyhow::Error>,
    wire: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let wired = async {
        wire.await?;
        service.wired.pass();
        std::future::pending().await
    };
    tokio::select! {
        failed = wired => failed,
        Some(failed) = failures.recv() => Err(failed),
        () = service.shutdown.cancelled() => Ok(()),
    }
}

async fn drain(service: &Service) {
    service.shutdown.cancel();
    service.parts.close();
    if tokio::time::timeout(DRAIN, service.parts.wait()).await.is_err() {
        tracing::warn!("abandoning tasks that did not stop in time");
    }
}
