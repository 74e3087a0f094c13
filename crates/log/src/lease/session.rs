//! The database session of the holder, and the task that keeps it open.

use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{HEARTBEAT, RETRY, SESSION_TIMEOUT};
use crate::database::{self, within};
use crate::loops::LoopTurns;

/// A connection that holds the advisory lock of a lease.
#[derive(Debug)]
pub(super) struct Session {
    connection: PgConnection,
    options: PgConnectOptions,
    name: String,
}

impl Session {
    /// Opens a session and takes the lock, or returns `None` if another session has it.
    pub(super) async fn open(options: &PgConnectOptions, name: &str) -> Result<Option<Self>, sqlx::Error> {
        let options = options.clone().options([("idle_session_timeout", session_timeout())]);
        let mut connection = within(SESSION_TIMEOUT, PgConnection::connect_with(&options)).await?;
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended('writ lease ' || $1, 0))")
            .bind(name)
            .fetch_one(&mut connection);
        let locked = within(SESSION_TIMEOUT, lock).await?;
        Ok(if locked { Some(Self { connection, options, name: name.to_owned() }) } else { None })
    }

    /// Begins a new tenure and returns its fence. Waits for transactions that have checked the previous fence.
    pub(super) async fn raise_fence(&mut self, holder: Uuid) -> Result<i64, sqlx::Error> {
        let raised = sqlx::query_scalar(
            "INSERT INTO lease (name, fence, holder) VALUES ($1, 1, $2)
             ON CONFLICT (name) DO UPDATE
             SET fence = lease.fence + 1, holder = excluded.holder, acquired_at = now()
             RETURNING fence",
        )
        .bind(&self.name)
        .bind(holder)
        .fetch_one(&mut self.connection);
        within(database::LIMIT, raised).await
    }

    /// The fence of the current holder. Asking for it also keeps the session from timing out.
    async fn fence(&mut self) -> Result<Option<i64>, sqlx::Error> {
        let fence = sqlx::query_scalar("SELECT fence FROM lease WHERE name = $1")
            .bind(&self.name)
            .fetch_optional(&mut self.connection);
        within(SESSION_TIMEOUT, fence).await
    }

    async fn close(self) {
        let _ = timeout(Duration::from_secs(1), self.connection.close()).await;
    }
}

fn session_timeout() -> String {
    format!("{}ms", SESSION_TIMEOUT.as_millis())
}

/// Keeps the session of a tenure alive until the lease is released or lost.
pub(super) struct Keeper {
    pub(super) fence: i64,
    pub(super) lost: CancellationToken,
}

impl Keeper {
    pub(super) async fn run(self, session: Session, release: CancellationToken) {
        let turns = LoopTurns::new(&format!("lease/{}", session.name));
        let mut current = Some(session);
        while let Some(mut session) = current.take() {
            turns.note();
            if release.run_until_cancelled(tokio::time::sleep(HEARTBEAT)).await.is_none() {
                session.close().await;
                break;
            }
            current = match session.fence().await {
                Ok(fence) if fence == Some(self.fence) => Some(session),
                Ok(_) => self.give_way(&session.name),
                Err(error) => {
                    tracing::warn!(lease = session.name, %error, "the lease's session broke");
                    release.run_until_cancelled(self.reopen(session, &turns)).await.flatten()
                }
            };
        }
    }

    /// Opens another session for the same tenure, unless another process has begun one.
    async fn reopen(&self, broken: Session, turns: &LoopTurns) -> Option<Session> {
        let Session { options, name, .. } = broken;
        loop {
            turns.note();
            if let Ok(Some(mut session)) = Session::open(&options, &name).await {
                match session.fence().await {
                    Ok(fence) if fence == Some(self.fence) => return Some(session),
                    Ok(_) => return self.give_way(&name),
                    Err(_) => {}
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    fn give_way(&self, name: &str) -> Option<Session> {
        tracing::error!(lease = name, fence = self.fence, "another process took the lease");
        self.lost.cancel();
        None
    }
}
