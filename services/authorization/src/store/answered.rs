//! Entity events that were accepted, each with the revision that answers it.

use std::collections::HashMap;
use std::time::Duration;

use futures::TryStreamExt;
use sqlx::{PgConnection, PgPool};
use writ_contract::{Hash, OrganizationId, ProducerName, Revision, StoredText, Timestamp};
use writ_log::database::{LIMIT, bounded};

/// How long an event is remembered: longer than its topic keeps it, 40 days.
pub const REMEMBERED: Duration = Duration::from_secs(40 * 24 * 60 * 60);
/// Events forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// An event and the revision that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Who announced it.
    pub producer: ProducerName,
    /// The organization that the entity belongs to.
    pub organization: OrganizationId,
    /// The event's `ce_id`.
    pub id: StoredText,
    /// What tells it from another event with the same id.
    pub content: Hash,
    /// Revision of the chain of entities.
    pub revision: Revision,
    /// When the broker appended it.
    pub at: Timestamp,
}

/// What is remembered of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// See [`Answered::content`].
    pub content: Hash,
    /// When the broker appended it.
    pub at: Timestamp,
}

/// What tells one event from all others, in 128 bits: millions of them are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventKey(u128);

impl EventKey {
    /// The key of the event of an organization that `producer` calls `id`.
    pub fn new(producer: &ProducerName, organization: OrganizationId, id: &StoredText) -> Self {
        // The name has no control character, so that it cannot run into the id.
        let parts = [organization.as_bytes(), producer.as_str().as_bytes(), b"\0", id.as_str().as_bytes()];
        let hash = Hash::of(&parts);
        Self(hash.0[..16].iter().fold(0, |key, byte| key << 8 | u128::from(*byte)))
    }
}

/// Remembers events.
pub(super) async fn put(tx: &mut PgConnection, events: &[Answered]) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO entity_event (producer, organization, id, content, epoch, revision, seen_at)
         SELECT producer, organization, id, content, epoch, revision, to_timestamp(at / 1000000.0)
         FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[])
              AS new (producer, organization, id, content, epoch, revision, at)",
    )
    .bind(events.iter().map(|event| event.producer.clone()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.organization).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.id.clone()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.content).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.revision.epoch).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.revision.number).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.at.0).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// The events that may come again.
pub(super) async fn load(pool: &PgPool) -> Result<HashMap<EventKey, Remembered>, sqlx::Error> {
    sqlx::query_as(
        "SELECT producer, organization, id, content, (extract(epoch FROM seen_at) * 1000000)::bigint
         FROM entity_event WHERE seen_at > now() - make_interval(secs => $1)",
    )
    .bind(REMEMBERED.as_secs_f64())
    .fetch(pool)
    .map_ok(|(producer, organization, id, content, at): (ProducerName, OrganizationId, StoredText, Hash, i64)| {
        (EventKey::new(&producer, organization, &id), Remembered { content, at: Timestamp(at) })
    })
    .try_collect()
    .await
}

/// Forgets some of the events that cannot come again. Returns whether there may be more.
///
/// # Errors
/// When the database fails.
pub async fn forget_old(pool: PgPool) -> Result<bool, sqlx::Error> {
    let statement = sqlx::query(
        "DELETE FROM entity_event WHERE ctid IN (
             SELECT ctid FROM entity_event WHERE seen_at < now() - make_interval(secs => $1) LIMIT $2)",
    )
    .bind(REMEMBERED.as_secs_f64())
    .bind(FORGOTTEN_AT_ONCE);
    let forgotten =
        bounded(&pool, LIMIT, async |connection: &mut PgConnection| statement.execute(connection).await).await?;
    Ok(forgotten.rows_affected() == FORGOTTEN_AT_ONCE.unsigned_abs())
}
