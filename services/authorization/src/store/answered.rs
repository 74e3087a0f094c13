//! Entity events that were answered with a revision.

use std::collections::{BTreeMap, HashMap};

use sqlx::{PgConnection, PgPool};
use writ_contract::{Hash, OrganizationId, ProducerName, Revision, StoredText};

/// How long an event is remembered, in days: longer than its topic keeps it.
const REMEMBERED_DAYS: i32 = 40;

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
    /// Why it was refused.
    pub rejected: Option<&'static str>,
}

/// What is remembered of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// See [`Answered::content`].
    pub content: Hash,
    /// Whether it was refused.
    pub rejected: bool,
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

/// Remembers events. Of one that was judged several times, the last outcome counts.
pub(super) async fn put(tx: &mut PgConnection, events: &[Answered]) -> Result<(), sqlx::Error> {
    // A statement cannot update a row twice.
    let last: BTreeMap<_, _> =
        events.iter().map(|event| ((&event.producer, event.organization, &event.id), event)).collect();
    if last.is_empty() {
        return Ok(());
    }
    let column = || last.values().copied();
    sqlx::query(
        "INSERT INTO entity_event (producer, organization, id, content, epoch, revision, rejected)
         SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::text[])
         ON CONFLICT (producer, organization, id) DO UPDATE
         SET epoch = EXCLUDED.epoch, revision = EXCLUDED.revision, rejected = EXCLUDED.rejected, seen_at = now()",
    )
    .bind(column().map(|event| event.producer.clone()).collect::<Vec<_>>())
    .bind(column().map(|event| event.organization).collect::<Vec<_>>())
    .bind(column().map(|event| event.id.clone()).collect::<Vec<_>>())
    .bind(column().map(|event| event.content).collect::<Vec<_>>())
    .bind(column().map(|event| event.revision.epoch).collect::<Vec<_>>())
    .bind(column().map(|event| event.revision.number).collect::<Vec<_>>())
    .bind(column().map(|event| event.rejected).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// The events that may come again.
pub(super) async fn load(pool: &PgPool) -> Result<HashMap<EventKey, Outcome>, sqlx::Error> {
    let rows: Vec<(ProducerName, OrganizationId, StoredText, Hash, bool)> = sqlx::query_as(
        "SELECT producer, organization, id, content, rejected IS NOT NULL
         FROM entity_event WHERE seen_at > now() - make_interval(days => $1)",
    )
    .bind(REMEMBERED_DAYS)
    .fetch_all(pool)
    .await?;
    let known = |(producer, organization, id, content, rejected)| {
        (EventKey::new(&producer, organization, &id), Outcome { content, rejected })
    };
    Ok(rows.into_iter().map(known).collect())
}
