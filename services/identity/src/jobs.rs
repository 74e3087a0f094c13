//! What identity does by itself in the background: it deletes expired tokens and kept answers, erases what is in deleted
//! organizations, counts organizations whose administrators are about to be locked out, and stores when tokens were last
//! used.

use std::time::Duration;

use anyhow::Context;
use sqlx::PgPool;
use tokio::time::{Instant, sleep, timeout};
use writ_contract::identity_event::Change;
use writ_contract::{OrganizationId, PLATFORM_ORGANIZATION};
use writ_log::Lease;
use writ_log::database::LIMIT;
use writ_log::loops::LoopTurns;
use writ_service::Service;

use crate::app::App;
use crate::domain::access::Access;
use crate::store::{Author, Store, tokens};

/// Of several replicas, the one with this lease does what needs to be done once.
const LEASE: &str = "identity-jobs";
const BETWEEN_ROUNDS: Duration = Duration::from_secs(600);
/// How often the loops turn, and last uses are stored.
const TURN: Duration = Duration::from_secs(10);
/// Batches of deleted organizations that are erased before the rest is counted again.
const BATCHES_BETWEEN_COUNTS: u32 = 20;
/// Organizations looked at in one batch.
const ORGANIZATIONS_AT_ONCE: i64 = 500;

/// Starts all of it.
pub fn start(service: &Service, app: &App, pool: PgPool) {
    let (store, shutdown) = (app.store.clone(), service.shutdown.clone());
    service.spawn("jobs", async move {
        shutdown.run_until_cancelled(run_alone(store, pool)).await;
        Ok(())
    });
    let (app, shutdown) = (app.clone(), service.shutdown.clone());
    service.spawn("last uses", async move {
        shutdown.run_until_cancelled(store_last_uses(&app)).await;
        store_waiting(&app).await;
        Ok(())
    });
}

async fn run_alone(store: Store, pool: PgPool) {
    loop {
        let lease = Lease::acquire(&pool, LEASE).await;
        tokio::select! {
            () = run(&store, &lease) => {}
            () = lease.lost() => {}
        }
    }
}

async fn run(store: &Store, lease: &Lease) {
    let turns = LoopTurns::new("jobs");
    loop {
        round(store, lease, &turns).await;
        let done = Instant::now();
        while done.elapsed() < BETWEEN_ROUNDS {
            if let Err(error) = erase_deleted(store, &turns).await {
                tracing::warn!(error = format!("{error:#}"), "deleted organizations are not erased");
            }
            turns.note();
            sleep(TURN).await;
        }
    }
}

async fn round(store: &Store, lease: &Lease, turns: &LoopTurns) {
    if let Err(error) = delete_expired_tokens(store, lease, turns).await {
        tracing::warn!(error = format!("{error:#}"), "expired tokens are not deleted");
    }
    if let Err(error) = delete_answers(store, turns).await {
        tracing::warn!(error = format!("{error:#}"), "kept answers are not deleted");
    }
    match count_accesses(store, turns).await {
        Ok(counts) => counts.show(),
        Err(error) => tracing::warn!(error = format!("{error:#}"), "organizations are not counted"),
    }
}

/// Deletes the tokens that expired more than a week ago, each batch of an organization in a revision of its own, so that
/// no index keeps them either. An organization that cannot be changed is passed over.
///
/// # Errors
/// When the database fails.
pub async fn delete_expired_tokens(store: &Store, lease: &Lease, turns: &LoopTurns) -> anyhow::Result<()> {
    let mut after = PLATFORM_ORGANIZATION;
    loop {
        let holding = store.holding_expired_tokens(after, ORGANIZATIONS_AT_ONCE).await?;
        let Some(last) = holding.last().copied() else { return Ok(()) };
        for organization in holding {
            turns.note();
            if let Err(error) = delete_expired_of(store, lease, organization, turns).await {
                tracing::warn!(%organization, error = format!("{error:#}"), "expired tokens are not deleted");
            }
        }
        after = last;
    }
}

async fn delete_expired_of(
    store: &Store,
    lease: &Lease,
    organization: OrganizationId,
    turns: &LoopTurns,
) -> anyhow::Result<()> {
    while timeout(LIMIT, delete_batch(store, lease, organization)).await.context("took too long")?? {
        turns.note();
    }
    Ok(())
}

/// False when there were none.
async fn delete_batch(store: &Store, lease: &Lease, organization: OrganizationId) -> anyhow::Result<bool> {
    let mut revision = store.revision_in_any_state(organization, Author::identity()).await?;
    lease.check(revision.connection()).await?;
    let deleted = tokens::delete_expired(&mut revision).await?;
    if deleted.is_empty() {
        revision.unchanged().await?;
        return Ok(false);
    }
    metrics::counter!("writ_expired_tokens_deleted_total").increment(deleted.len() as u64);
    let changes = deleted.into_iter().map(|token| Change::TokenRevoked { token }).collect();
    revision.commit(changes).await?;
    Ok(true)
}

/// Deletes the answers that need not be kept any more.
///
/// # Errors
/// When the database fails.
pub async fn delete_answers(store: &Store, turns: &LoopTurns) -> anyhow::Result<()> {
    while store.delete_answers().await? {
        turns.note();
    }
    Ok(())
}

/// Erases what is in deleted organizations, in small transactions. After a crash it continues where it was.
///
/// # Errors
/// When the database fails.
pub async fn erase_deleted(store: &Store, turns: &LoopTurns) -> anyhow::Result<()> {
    let waiting = metrics::gauge!("writ_erasures_waiting");
    loop {
        turns.note();
        waiting.set(f64::from(store.erasures().await?));
        for _ in 0..BATCHES_BETWEEN_COUNTS {
            turns.note();
            if !store.erase_deleted().await? {
                waiting.set(0);
                return Ok(());
            }
        }
    }
}

/// Active organizations by whether an administrator can come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccessCounts {
    /// Those for which that ends within a week.
    pub ending: u32,
    /// Those for which it has ended.
    pub lost: u32,
}

impl AccessCounts {
    fn show(self) {
        for (access, count) in [("ending", self.ending), ("lost", self.lost)] {
            metrics::gauge!("writ_administrator_access_organizations", "access" => access).set(f64::from(count));
        }
    }
}

/// Counts the organizations whose administrators are about to be locked out, or are.
///
/// # Errors
/// When the database fails.
pub async fn count_accesses(store: &Store, turns: &LoopTurns) -> anyhow::Result<AccessCounts> {
    let (mut counts, mut after) = (AccessCounts::default(), PLATFORM_ORGANIZATION);
    loop {
        turns.note();
        let accesses = store.accesses(after, ORGANIZATIONS_AT_ONCE).await?;
        let Some((last, _)) = accesses.last() else { return Ok(counts) };
        after = *last;
        for (_, access) in accesses {
            match access {
                Access::Open => {}
                Access::Ending(_) => counts.ending += 1,
                Access::Lost => counts.lost += 1,
            }
        }
    }
}

async fn store_last_uses(app: &App) {
    let turns = LoopTurns::new("last-uses");
    loop {
        turns.note();
        sleep(TURN).await;
        store_waiting(app).await;
    }
}

async fn store_waiting(app: &App) {
    if let Err(error) = app.store.store_last_uses(&app.last_uses).await {
        tracing::warn!(error = format!("{error:#}"), "last uses of tokens are not stored");
    }
}
