//! A lease lets one process of a service at a time publish and consume.
//!
//! The holder keeps a database session open that holds an advisory lock. PostgreSQL releases the lock as soon as the
//! process ends in any way, and after [`SESSION_TIMEOUT`] if it hangs or is cut off, so a restarted service need not
//! wait for an expiry. The lock only decides who may take the lease. What prevents a superseded process from writing is
//! the fencing number, which is compared inside every transaction.

mod session;

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::backoff::Backoff;
use session::Session;

/// A session that is idle for this long loses the lease.
const SESSION_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the holder uses its session.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often other processes try to take the lease.
const RETRY: Duration = Duration::from_millis(200);

/// The right to publish and consume under a name, until another process takes over. Cheap to clone; released when the
/// last clone is dropped.
#[derive(Debug, Clone)]
pub struct Lease {
    name: Arc<str>,
    fence: i64,
    lost: CancellationToken,
    _release: Arc<DropGuard>,
}

/// A transaction must not continue.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another process holds the lease.
    #[error("the lease {0} is held by another process")]
    Lost(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Lease {
    /// Waits until the lease `name` is free and takes it. Also waits, and logs it, while PostgreSQL is unreachable.
    pub async fn acquire(pool: &PgPool, name: &str) -> Self {
        let mut backoff = Backoff::new();
        loop {
            match Self::try_acquire(pool, name).await {
                Ok(Some(lease)) => return lease,
                Ok(None) => {
                    tracing::debug!(lease = name, "held by another process");
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => {
                    tracing::warn!(lease = name, %error, "cannot take the lease yet");
                    backoff.wait().await;
                }
            }
        }
    }

    /// Takes the lease if it is free.
    async fn try_acquire(pool: &PgPool, name: &str) -> Result<Option<Self>, sqlx::Error> {
        let options = pool.connect_options();
        let Some(mut session) = Session::open(&options, name).await? else { return Ok(None) };
        let fence = session.raise_fence(Uuid::now_v7()).await?;
        tracing::info!(lease = name, fence, "lease taken");
        let release = CancellationToken::new();
        let lease = Self {
            name: name.into(),
            fence,
            lost: CancellationToken::new(),
            _release: Arc::new(release.clone().drop_guard()),
        };
        let keeper = session::Keeper { fence, lost: lease.lost.clone() };
        tokio::spawn(keeper.run(session, release));
        Ok(Some(lease))
    }

    /// Name of the lease.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fencing number. It rises with each takeover: a process with a lower one no longer holds the lease.
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// Returns as soon as another process is known to have taken over.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Checks, inside a transaction, that this process still holds the lease. No other process can take it before that
    /// transaction ends.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] if another process has taken over.
    pub async fn check(&self, tx: &mut PgConnection) -> Result<(), LeaseError> {
        let held = sqlx::query("SELECT 1 FROM lease WHERE name = $1 AND fence = $2 FOR KEY SHARE")
            .bind(&*self.name)
            .bind(self.fence)
            .fetch_optional(tx)
            .await?;
        held.map(|_| ()).ok_or_else(|| self.lost_error())
    }

    /// A compare-and-set found another fence: marks the lease as lost.
    pub(crate) fn lost_error(&self) -> LeaseError {
        self.lost.cancel();
        LeaseError::Lost(self.name.to_string())
    }
}

#[cfg(test)]
mod tests;
