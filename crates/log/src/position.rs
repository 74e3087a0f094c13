//! How far a consumer has read, stored in the transaction of the effects.

use std::collections::BTreeMap;

use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPool};

use crate::ConsumedRecord;
use crate::database::{self, bounded};
use crate::lease::{Lease, LeaseError};

/// The last record of a partition whose effects are in the database.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct LogPosition {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// Offset of that record.
    pub(crate) record_offset: i64,
    /// Distinguishes it from another record at the same offset.
    pub(crate) anchor: String,
}

/// The positions after a batch: the last record of each partition in it.
pub(crate) fn after(batch: &[ConsumedRecord]) -> Vec<LogPosition> {
    let mut last = BTreeMap::new();
    for record in batch {
        last.insert((record.topic.as_str(), record.partition), record);
    }
    last.into_values().map(LogPosition::of).collect()
}

impl LogPosition {
    fn of(record: &ConsumedRecord) -> Self {
        Self {
            topic: record.topic.clone(),
            partition: record.partition,
            record_offset: record.offset,
            anchor: record.anchor(),
        }
    }
}

/// Loads all positions of the consumer that runs under the lease `consumer`.
pub(crate) async fn load(pool: &PgPool, consumer: &str) -> Result<Vec<LogPosition>, sqlx::Error> {
    bounded(pool, database::LIMIT, async |connection: &mut PgConnection| {
        sqlx::query_as("SELECT topic, partition, record_offset, anchor FROM position WHERE consumer = $1")
            .bind(consumer)
            .fetch_all(connection)
            .await
    })
    .await
}

/// Forgets the positions in a topic, if `lease` is still held.
pub(crate) async fn forget(pool: &PgPool, lease: &Lease, topic: &str) -> Result<(), LeaseError> {
    bounded(pool, database::LIMIT, async |connection: &mut PgConnection| {
        let mut tx = connection.begin().await?;
        lease.check(&mut tx).await?;
        sqlx::query("DELETE FROM position WHERE consumer = $1 AND topic = $2")
            .bind(lease.name())
            .bind(topic)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Stores `positions` in the transaction `tx`, if `lease` is still held.
pub(crate) async fn advance(tx: &mut PgConnection, lease: &Lease, positions: &[LogPosition]) -> Result<(), LeaseError> {
    let written = sqlx::query(
        "WITH held AS (SELECT fence FROM lease WHERE name = $1 AND fence = $2 FOR KEY SHARE)
         INSERT INTO position (consumer, topic, partition, record_offset, anchor, fence)
         SELECT $1, p.topic, p.partition, p.record_offset, p.anchor, held.fence
         FROM UNNEST($3::text[], $4::integer[], $5::bigint[], $6::text[])
              AS p (topic, partition, record_offset, anchor), held
         ON CONFLICT (consumer, topic, partition) DO UPDATE
         SET record_offset = excluded.record_offset, anchor = excluded.anchor, fence = excluded.fence,
             updated_at = now()
         WHERE position.fence <= excluded.fence",
    )
    .bind(lease.name())
    .bind(lease.fence())
    .bind(positions.iter().map(|p| p.topic.as_str()).collect::<Vec<_>>())
    .bind(positions.iter().map(|p| p.partition).collect::<Vec<_>>())
    .bind(positions.iter().map(|p| p.record_offset).collect::<Vec<_>>())
    .bind(positions.iter().map(|p| p.anchor.as_str()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    if written.rows_affected() == positions.len() as u64 { Ok(()) } else { Err(lease.lost_error()) }
}

/// Whether `position` is stored already, because an earlier commit succeeded although its answer was lost.
pub(crate) async fn is_recorded(
    tx: &mut PgConnection,
    consumer: &str,
    position: &LogPosition,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM position WHERE consumer = $1 AND topic = $2 AND partition = $3
                        AND record_offset = $4 AND anchor = $5)",
    )
    .bind(consumer)
    .bind(&position.topic)
    .bind(position.partition)
    .bind(position.record_offset)
    .bind(&position.anchor)
    .fetch_one(tx)
    .await
}

#[cfg(test)]
mod tests;
