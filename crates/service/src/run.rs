//! The life of a service's process: settings, telemetry, operational routes, wiring, waiting,
//! stopping.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use serde_json::Value;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{self, Common, ConfigError, ServiceSettings};
use crate::database::DatabaseUrl;
use crate::health::{Check, Health};
use crate::http::{self, Limits, Operations, Routes};
use crate::telemetry::{Program, Telemetry};
use crate::{database, shutdown};

/// How long background tasks may take to end after they were told to.
const DRAIN: Duration = Duration::from_secs(10);
/// Exit code for settings that are missing or wrong: starting again would not help.
const BAD_CONFIGURATION: u8 = 78;

/// A running process, in the hands of the function that wires its parts. Clones share it.
#[derive(Clone)]
pub struct Service {
    /// The settings all services have.
    pub common: Common,
    /// Whether the process could do its work.
    pub health: Health,
    /// Cancelled when the process is to stop.
    pub shutdown: CancellationToken,
    pub(crate) operations: Operations,
    routes: Routes,
    parts: TaskTracker,
    failures: UnboundedSender<anyhow::Error>,
    wired: Check,
}

impl Service {
    /// Opens the service's database and brings it up to date; waits for a server that is away,
    /// with the reason in `/readyz`.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn database(&self, url: &DatabaseUrl, migrator: &Migrator) -> anyhow::Result<PgPool> {
        let check = self.health.check("database");
        let options = url.options().application_name(self.operations.name());
        let pool =
            database::open(options, migrator, &check).await.context("the database cannot be brought up to date")?;
        tokio::spawn(database::watch(pool.clone(), check));
        let measured = pool.clone();
        self.operations.gauges(move || database::measure(&measured));
        Ok(pool)
    }

    /// Runs a part beside the others until `shutdown`. If it ends with an error or panics, the
    /// process ends.
    pub fn spawn<F>(&self, name: &'static str, part: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let failures = self.failures.clone();
        self.parts.spawn(async move {
            let ended = tokio::spawn(part).await.context("panicked").flatten();
            if let Err(error) = ended {
                // Nobody listens any more only when the process is already stopping.
                let _ = failures.send(error.context(name));
            }
        });
    }

    /// Adds a member to the JSON of `/status`, asked for each time. It must hold nothing personal
    /// and no secret.
    pub fn status<F>(&self, name: &'static str, section: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Value> + Send + 'static,
    {
        self.operations.section(name, section);
    }

    /// As [`Service::status`], but only for those who ask with `/status?<parameter>=1`.
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

    /// Opens the service's own routes.
    pub fn routes(&self, routes: Router, limits: Limits) {
        self.routes.open(routes, limits);
    }
}

/// Runs a service: reads its settings, starts telemetry and the operational routes, lets `wire`
/// start its parts, and waits until it is told to stop or a part fails.
pub async fn run<S, F>(program: Program, wire: impl FnOnce(Service, S) -> F) -> ExitCode
where
    S: ServiceSettings,
    F: Future<Output = anyhow::Result<()>>,
{
    match life(program, wire).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let configuration = error.chain().any(|cause| cause.is::<ConfigError>());
            // Telemetry may not have been started, so this is for whoever started the process.
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
    tracing::info!(version = program.version, region = %service.common.region, listen = %service.common.listen, "started");
    let outcome = until_stopped(&service, failures, wire(service.clone(), own)).await;
    if let Err(error) = &outcome {
        tracing::error!(error = format!("{error:#}"), "giving up");
    }
    drain(&service).await;
    telemetry.stop().await;
    outcome
}

/// Opens the port and serves the operational routes.
async fn start(
    program: Program,
    common: Common,
    telemetry: &Telemetry,
) -> anyhow::Result<(Service, UnboundedReceiver<anyhow::Error>)> {
    let listener = http::listen(common.listen)
        .await
        .map_err(|error| anyhow::anyhow!("WRIT_LISTEN: {}: {error}", common.listen))?;
    let health = Health::default();
    // Until all parts are there, their checks may not be either.
    let wired = health.check("start");
    let operations = Operations::new(program, common.region.clone(), health.clone(), telemetry.metrics());
    let shutdown = shutdown::on_signal()?;
    let (failures, seen) = unbounded_channel();
    let (routes, parts) = (Routes::default(), TaskTracker::new());
    let service = Service { common, health, shutdown, operations, routes, parts, failures, wired };
    let server = http::serve(listener, service.operations.clone(), service.routes.clone(), service.shutdown.clone());
    service.spawn("HTTP server", async { Ok(server.await?) });
    Ok((service, seen))
}

/// Wires the parts, which may wait for other systems, and stays until the process is told to stop
/// or a part fails.
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
        tracing::warn!("parts that did not stop in time are abandoned");
    }
}
