//! Entity events whose outcome is applied here, by producer and id.

use opentelemetry::trace::SpanContext;
use sqlx::{PgConnection, PgPool};
use writ_contract::policy_change::ChangeSet;
use writ_contract::{ChainId, Revision, StoredText, Stream};
use writ_log::database::{LIMIT, bounded};

use crate::current_span_context;
use crate::freshness::EventName;

/// How long an event is remembered: longer than its topic keeps it.
const REMEMBERED_DAYS: i32 = 40;
/// Events forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// An event and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedEvent {
    /// Which event.
    pub event: EventName,
    /// Revision of the change set that answers it.
    pub revision: Revision,
    /// Why it was refused.
    pub rejected: Option<StoredText>,
    /// The span in which it was applied, for the readers that wait for it.
    pub seen_in: SpanContext,
}

impl AppliedEvent {
    /// The entity event that a change set answers, if it answers one.
    pub fn of(chain: &ChainId, set: &ChangeSet) -> Option<Self> {
        let cause = set.cause.as_ref().filter(|_| chain.stream == Stream::Entities)?;
        let event = EventName {
            organization: chain.organization,
            origin: chain.origin,
            producer: cause.source.as_str().parse().ok()?,
            ce_id: cause.id.clone(),
        };
        Some(Self { event, revision: set.revision, rejected: set.rejected.clone(), seen_in: current_span_context() })
    }
}

/// Stores outcomes. If an event has several, the first one stays.
pub async fn insert(tx: &mut PgConnection, applied: &[AppliedEvent]) -> Result<(), sqlx::Error> {
    if applied.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO applied_event (organization, origin, producer, id, epoch, revision, rejected)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[])
         ON CONFLICT DO NOTHING",
    )
    .bind(column(applied, |applied| applied.event.organization))
    .bind(column(applied, |applied| applied.event.origin))
    .bind(column(applied, |applied| applied.event.producer.as_str()))
    .bind(column(applied, |applied| applied.event.ce_id.as_str()))
    .bind(column(applied, |applied| applied.revision.epoch))
    .bind(column(applied, |applied| applied.revision.number))
    .bind(column(applied, |applied| applied.rejected.as_ref().map(StoredText::as_str)))
    .execute(tx)
    .await?;
    Ok(())
}

fn column<'a, T>(applied: &'a [AppliedEvent], of: impl Fn(&'a AppliedEvent) -> T) -> Vec<T> {
    applied.iter().map(of).collect()
}

/// Whether the outcome of an event is applied here.
pub async fn is_applied(pool: &PgPool, event: &EventName) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM applied_event
                        WHERE organization = $1 AND origin = $2 AND producer = $3 AND id = $4)",
    )
    .bind(event.organization)
    .bind(event.origin)
    .bind(event.producer.as_str())
    .bind(event.ce_id.as_str())
    .fetch_one(pool)
    .await
}

/// Forgets some of the events for which nobody waits any more. Returns whether there may be more.
pub async fn forget_old(pool: PgPool) -> Result<bool, sqlx::Error> {
    let statement = sqlx::query(
        "DELETE FROM applied_event WHERE ctid IN (
             SELECT ctid FROM applied_event WHERE applied_at < now() - make_interval(days => $1) LIMIT $2)",
    )
    .bind(REMEMBERED_DAYS)
    .bind(FORGOTTEN_AT_ONCE);
    let forgotten =
        bounded(&pool, LIMIT, async |connection: &mut PgConnection| statement.execute(connection).await).await?;
    Ok(forgotten.rows_affected() == FORGOTTEN_AT_ONCE.unsigned_abs())
}
