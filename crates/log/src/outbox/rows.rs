//! The table of the outbox.

use sqlx::postgres::PgConnection;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Postgres, QueryBuilder, Row};
use writ_contract::Timestamp;
use writ_kafka::topics;

use super::handover::Appended;
use crate::lease::{Lease, LeaseError};
use crate::{Outgoing, headers};

/// Channel on which a commit wakes the publisher.
pub(super) const CHANNEL: &str = "outbox";

/// A record exceeds the limit of its topic.
#[derive(Debug, thiserror::Error)]
#[error("a record of {size} bytes is too large for {topic}")]
struct TooLarge {
    topic: String,
    size: usize,
}

/// Appends `records` in the transaction `tx`. They are sent to Kafka, in this order, if it commits: at once if the result is
/// then [handed over](super::Handover), else when the publisher next looks.
///
/// Records of one key keep their order across transactions if those take a common lock before they append (an
/// organization's revision is one): ids are then in the order of commits.
///
/// # Errors
/// [`sqlx::Error::Encode`] for a record that exceeds the limit of its topic.
pub async fn append(tx: &mut PgConnection, records: Vec<Outgoing>) -> Result<Appended, sqlx::Error> {
    if records.is_empty() {
        return Ok(Appended(Vec::new()));
    }
    append_with(QueryBuilder::default(), tx, records).await
}

/// Like [`append`], in one statement with something else: `beginning` is that of the statement, a `WITH` clause. There must be
/// a record.
///
/// # Errors
/// As [`append`].
pub async fn append_with(
    beginning: QueryBuilder<Postgres>,
    tx: &mut PgConnection,
    records: Vec<Outgoing>,
) -> Result<Appended, sqlx::Error> {
    records.iter().try_for_each(fits)?;
    let mut statement = beginning;
    statement
        .push(
            "INSERT INTO outbox (topic, partition, key, headers, value, measured_from)
             SELECT topic, partition, key, headers, value, measured_from FROM UNNEST(",
        )
        .push_bind(column(&records, |record| record.topic.as_str()))
        .push("::text[], ")
        .push_bind(column(&records, |record| record.partition))
        .push("::integer[], ")
        .push_bind(column(&records, |record| record.key.as_deref()))
        .push("::bytea[], ")
        .push_bind(column(&records, |record| headers::pack(&record.headers)))
        .push("::bytea[], ")
        .push_bind(column(&records, |record| record.value.as_deref()))
        .push("::bytea[], ")
        .push_bind(column(&records, |record| record.measured_from.map(|time| time.0)))
        .push(
            "::bigint[]) WITH ORDINALITY AS r (topic, partition, key, headers, value, measured_from, place)
             ORDER BY place
             RETURNING id",
        );
    let mut ids: Vec<i64> = statement.build_query_scalar().fetch_all(tx).await?;
    ids.sort_unstable();
    Ok(Appended(ids.into_iter().zip(records).map(|(id, record)| OutboxRow { id, record }).collect()))
}

fn column<'a, T>(records: &'a [Outgoing], of: impl Fn(&'a Outgoing) -> T) -> Vec<T> {
    records.iter().map(of).collect()
}

/// A record that Kafka would always reject must not get in, because it would block all that follow.
fn fits(record: &Outgoing) -> Result<(), sqlx::Error> {
    let size = record.size();
    if size <= topics::largest_record(&record.topic) {
        return Ok(());
    }
    Err(sqlx::Error::Encode(Box::new(TooLarge { topic: record.topic.clone(), size })))
}

/// A row that is not acknowledged yet.
#[derive(Debug)]
pub(super) struct OutboxRow {
    pub(super) id: i64,
    pub(super) record: Outgoing,
}

impl FromRow<'_, PgRow> for OutboxRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let record = Outgoing {
            topic: row.try_get("topic")?,
            key: row.try_get("key")?,
            partition: row.try_get("partition")?,
            headers: headers::unpack(row.try_get("headers")?),
            value: row.try_get("value")?,
            measured_from: row.try_get::<Option<i64>, _>("measured_from")?.map(Timestamp),
        };
        Ok(Self { id: row.try_get("id")?, record })
    }
}

/// The next rows in order, except those `taken`. Never "above the last id": a transaction that took its ids early may
/// commit late.
pub(super) async fn next(
    connection: &mut PgConnection,
    taken: &[i64],
    limit: i64,
) -> Result<Vec<OutboxRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, topic, partition, key, headers, value, measured_from
         FROM outbox WHERE id <> ALL($1) ORDER BY id LIMIT $2",
    )
    .bind(taken)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Removes acknowledged rows, if `lease` is still held.
pub(super) async fn acknowledge(connection: &mut PgConnection, lease: &Lease, ids: &[i64]) -> Result<(), LeaseError> {
    let removed = sqlx::query(
        "WITH held AS (SELECT 1 FROM lease WHERE name = $1 AND fence = $2 FOR KEY SHARE)
         DELETE FROM outbox WHERE id = ANY($3) AND EXISTS (SELECT 1 FROM held)",
    )
    .bind(lease.name())
    .bind(lease.fence())
    .bind(ids)
    .execute(&mut *connection)
    .await?;
    if removed.rows_affected() == 0 {
        // The lease is lost, or an earlier attempt succeeded although its answer was lost.
        lease.check(connection).await?;
    }
    Ok(())
}

/// Number of rows, counted up to 10 000, and age of the oldest row in seconds.
pub(super) async fn backlog(connection: &mut PgConnection) -> Result<(i64, f64), sqlx::Error> {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 10000) AS counted),
                coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at)
                          FROM outbox ORDER BY id LIMIT 1), 0)::double precision",
    )
    .fetch_one(connection)
    .await
}
