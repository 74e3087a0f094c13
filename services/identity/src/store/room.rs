//! How full the outbox is. While Kafka is away, changes are accepted and kept there, up to a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use sqlx::{PgConnection, PgPool};
use writ_log::database::{SMALL_CALL, bounded};

use crate::error::{IdentityError, Result};

/// How full the outbox is. Clones share it.
#[derive(Debug, Clone)]
pub struct OutboxRoom {
    maximum: u64,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Records that this process has added since it began.
    filled: AtomicU64,
    /// Records that were there at the last count, less what this process had added by then.
    before: AtomicI64,
}

impl OutboxRoom {
    /// An empty outbox in which at most `maximum` records wait.
    pub fn new(maximum: u64) -> Self {
        Self { maximum, shared: Arc::default() }
    }

    /// The most that wait.
    pub fn maximum(&self) -> u64 {
        self.maximum
    }

    /// Records that wait: those of the last count, and what this process has added since.
    pub fn depth(&self) -> u64 {
        let filled = self.shared.filled.load(Ordering::Relaxed);
        filled.saturating_add_signed(self.shared.before.load(Ordering::Relaxed))
    }

    /// Requires room for a change.
    ///
    /// # Errors
    /// [`IdentityError::OutboxFull`] if there is none.
    pub(super) fn must_be_left(&self) -> Result<()> {
        if self.depth() < self.maximum {
            return Ok(());
        }
        metrics::counter!("writ_refused_changes_total", "limit" => "outbox").increment(1);
        Err(IdentityError::OutboxFull)
    }

    /// A transaction that has added `count` records is committed.
    pub(super) fn filled(&self, count: usize) {
        self.shared.filled.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Counts the records in the table, as far as the limit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, pool: &PgPool) -> sqlx::Result<()> {
        let filled = self.shared.filled.load(Ordering::Relaxed);
        let maximum = i64::try_from(self.maximum).unwrap_or(i64::MAX);
        let statement =
            sqlx::query_scalar("SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS counted").bind(maximum);
        let counted: i64 =
            bounded(pool, SMALL_CALL, async |connection: &mut PgConnection| statement.fetch_one(connection).await)
                .await?;
        self.shared.before.store(counted.saturating_sub_unsigned(filled), Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[sqlx::test(migrator = "crate::store::MIGRATOR")]
    async fn it_is_full_at_the_limit_and_has_room_once_rows_are_gone(pool: PgPool) {
        let room = OutboxRoom::new(3);
        room.must_be_left().unwrap();
        room.filled(3);
        assert!(matches!(room.must_be_left(), Err(IdentityError::OutboxFull)));
        room.count(&pool).await.unwrap();
        assert_eq!(room.depth(), 0);
        sqlx::query("INSERT INTO outbox (topic, headers) SELECT 't', '' FROM generate_series(1, 5)")
            .execute(&pool)
            .await
            .unwrap();
        room.count(&pool).await.unwrap();
        assert_eq!(room.depth(), 3, "counted as far as the limit");
        assert!(room.must_be_left().is_err());
        sqlx::query("DELETE FROM outbox").execute(&pool).await.unwrap();
        room.count(&pool).await.unwrap();
        room.filled(1);
        assert_eq!(room.depth(), 1);
        room.must_be_left().unwrap();
    }
}
