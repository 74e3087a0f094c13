//! Changes of another organization, which go on whatever happens, and how long each takes to be in force in another region.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use integration_tests::{Organization, System};
use tokio::task::JoinHandle;
use writ_client::{AssignRole, Question};

/// A pause between changes, so that they are traffic and no load.
const PAUSE: Duration = Duration::from_millis(50);

/// Changes made in one region and read in another.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    running: JoinHandle<Result<Vec<Duration>>>,
}

/// How long changes took.
pub(crate) struct Delays(Vec<Duration>);

impl Traffic {
    /// Begins once the first change was in force.
    pub(crate) async fn between(system: &'static System, home: &'static str, read: &'static str) -> Result<Self> {
        let organization = Organization::create(system, home).await?;
        change(system, &organization, read, 0).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let running = tokio::spawn(run(system, organization, read, stop.clone()));
        Ok(Self { stop, running })
    }

    /// Ends, and tells how long each change took.
    pub(crate) async fn end(self) -> Result<Delays> {
        self.stop.store(true, Ordering::Relaxed);
        let mut delays = self.running.await??;
        delays.sort_unstable();
        ensure!(!delays.is_empty(), "no change was made");
        Ok(Delays(delays))
    }
}

impl Delays {
    /// Tells them, and checks that 99 of 100 were below `limit`.
    #[expect(clippy::print_stdout, reason = "figures of a test")]
    pub(crate) fn below(&self, limit: Duration, what: &str) -> Result<()> {
        let at = |share: f64| self.0[((self.0.len() - 1) as f64 * share) as usize];
        let (p50, p99) = (at(0.5), at(0.99));
        println!("{what}: {} changes of others in force after p50 {p50:?}, p99 {p99:?}", self.0.len());
        ensure!(p99 < limit, "{what}: p99 {p99:?}");
        Ok(())
    }
}

async fn run(
    system: &'static System,
    organization: Organization,
    read: &'static str,
    stop: Arc<AtomicBool>,
) -> Result<Vec<Duration>> {
    let mut delays = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let number = delays.len() + 1;
        delays.push(change(system, &organization, read, number).await.with_context(|| format!("change {number}"))?);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(delays)
}

/// Assigns a role and reads with its consistency token: the time until the answer from the other region.
async fn change(system: &System, organization: &Organization, read: &str, number: usize) -> Result<Duration> {
    let (begun, entity) = (Instant::now(), format!("cp-{number}"));
    let role = AssignRole { role: "Viewer", entity_type: "Control Planes", entity: &entity, region: read };
    let assigned = organization.admin.assign_role(organization.owner, role).await?;
    let token = assigned.consistency_token.as_deref().context("a consistency token")?;
    let question =
        Question { user: organization.owner, action: "view", resource_type: "control_planes", resource: &entity };
    let answer = system.read(read).evaluate(&organization.owner_token, question, Some(token)).await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    Ok(begun.elapsed())
}
