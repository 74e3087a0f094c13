//! Parked records: those of an organization that this build cannot process. Internal records are never skipped, so they
//! are kept, with all later ones of the organization, until a build that understands them processes them.

use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::{FromRow, Row};
use writ_contract::{OrganizationId, Timestamp};

use crate::database::{self, bounded};
use crate::{ConsumedRecord, headers};

/// Maximum length of a reason, in characters.
const MAX_REASON: usize = 1_000;

/// Records of an organization that are parked at most.
const MAX_RECORDS: i64 = 10_000;
/// Bytes of their values.
const MAX_BYTES: i64 = 64 * 1024 * 1024;

/// A parked record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Ascending in the order in which records were parked.
    pub id: i64,
    /// Organization of the record.
    pub organization: OrganizationId,
    /// Why it was parked.
    pub reason: String,
    /// The record as it was read.
    pub record: ConsumedRecord,
}

/// Parks a record, in the transaction that stores the position after it. False if as much of the organization is parked as
/// may be: the record is gone, and what follows it will find a gap.
pub async fn append(
    tx: &mut PgConnection,
    record: &ConsumedRecord,
    organization: OrganizationId,
    reason: &str,
) -> Result<bool, sqlx::Error> {
    let parked = sqlx::query(
        "INSERT INTO parked_record
             (organization, reason, topic, partition, record_offset, appended_at, key, headers, value)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
          WHERE (SELECT count(*) < $10 AND coalesce(sum(octet_length(value)), 0) < $11
                   FROM parked_record WHERE organization = $1)",
    )
    .bind(organization)
    .bind(reason.replace('\0', "").chars().take(MAX_REASON).collect::<String>())
    .bind(&record.topic)
    .bind(record.partition)
    .bind(record.offset)
    .bind(record.timestamp.0)
    .bind(&record.key)
    .bind(headers::pack(&record.headers))
    .bind(&record.value)
    .bind(MAX_RECORDS)
    .bind(MAX_BYTES)
    .execute(tx)
    .await?;
    Ok(parked.rows_affected() > 0)
}

/// The parked records of an organization, in order.
pub async fn load(tx: &mut PgConnection, organization: OrganizationId) -> Result<Vec<Parked>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, organization, reason, topic, partition, record_offset, appended_at, key, headers, value
         FROM parked_record WHERE organization = $1 ORDER BY id",
    )
    .bind(organization)
    .fetch_all(tx)
    .await
}

/// All parked organizations, with the reason of the first record and the number of records.
pub async fn organizations(tx: &mut PgConnection) -> Result<Vec<(OrganizationId, String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT DISTINCT ON (organization) organization, reason, count(*) OVER (PARTITION BY organization)
         FROM parked_record ORDER BY organization, id",
    )
    .fetch_all(tx)
    .await
}

/// Number of parked records.
pub async fn count(pool: &PgPool) -> Result<i64, sqlx::Error> {
    bounded(pool, database::LIMIT, async |connection: &mut PgConnection| {
        sqlx::query_scalar("SELECT count(*) FROM parked_record").fetch_one(connection).await
    })
    .await
}

/// Removes records that were processed after all, in the transaction of their effects.
pub async fn delete(tx: &mut PgConnection, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM parked_record WHERE id = ANY($1)").bind(ids).execute(tx).await?;
    Ok(())
}

impl FromRow<'_, PgRow> for Parked {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let record = ConsumedRecord {
            topic: row.try_get("topic")?,
            partition: row.try_get("partition")?,
            offset: row.try_get("record_offset")?,
            timestamp: Timestamp(row.try_get("appended_at")?),
            key: row.try_get("key")?,
            headers: headers::unpack(row.try_get("headers")?),
            value: row.try_get("value")?,
        };
        let organization = row.try_get("organization")?;
        Ok(Self { id: row.try_get("id")?, organization, reason: row.try_get("reason")?, record })
    }
}

#[cfg(test)]
mod tests;
