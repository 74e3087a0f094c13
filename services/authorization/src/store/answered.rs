//! Entity events that were answered with a revision.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;
use writ_contract::Hash;

/// How long an event is remembered, in days: longer than `entity-events` keeps it.
const REMEMBERED_DAYS: i32 = 40;

/// An event and the revision that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Whose entity it is about.
    pub organization: Uuid,
    /// The event's `ce_source`.
    pub source: String,
    /// The event's `ce_id`.
    pub id: String,
    /// Revision of the chain of entities.
    pub revision: i64,
    /// Why it was refused.
    pub rejected: Option<String>,
}

/// What tells one event from all others, in 128 bits: millions of them are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventKey(u128);

impl EventKey {
    /// The key of the event that `source` calls `id`. Neither holds a control character.
    pub fn new(organization: Uuid, source: &str, id: &str) -> Self {
        let hash = Hash::of(&[organization.as_bytes(), source.as_bytes(), b"\0", id.as_bytes()]);
        let (head, _) = hash.0.split_at(16);
        Self(head.iter().fold(0, |key, byte| key << 8 | u128::from(*byte)))
    }
}

/// Remembers events, each once.
///
/// # Errors
/// What PostgreSQL said.
pub async fn insert(tx: &mut PgConnection, events: &[Answered]) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO entity_event (organization, source, id, revision, rejected)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[])
         ON CONFLICT DO NOTHING",
    )
    .bind(events.iter().map(|event| event.organization).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.source.as_str()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.revision).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.rejected.as_deref()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// The events that may come again.
///
/// # Errors
/// What PostgreSQL said.
pub async fn load(pool: &PgPool) -> Result<Vec<EventKey>, sqlx::Error> {
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
        "SELECT organization, source, id FROM entity_event WHERE seen_at > now() - make_interval(days => $1)",
    )
    .bind(REMEMBERED_DAYS)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(organization, source, id)| EventKey::new(organization, &source, &id)).collect())
}
