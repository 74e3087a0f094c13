//! Entity events whose outcome is applied here, by their producers' names for them.

use opentelemetry::trace::SpanContext;
use sqlx::{PgConnection, PgPool};
use writ_contract::policy_change::ChangeSet;
use writ_contract::{ChainId, Stream};
use writ_policy::Position;

use crate::freshness::EventName;
use crate::trace;

/// An event and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which event.
    pub event: EventName,
    /// The place of the change set that answers it.
    pub position: Position,
    /// Why it was refused.
    pub rejected: Option<String>,
    /// The span in which it was applied, for those who waited for it.
    pub seen_in: SpanContext,
}

impl Applied {
    /// The entity event that a change set answers, if it answers one.
    pub fn of(chain: &ChainId, set: &ChangeSet) -> Option<Self> {
        let cause = set.cause.as_ref().filter(|_| chain.stream == Stream::Entities)?;
        let event = EventName {
            organization: chain.organization,
            origin: chain.origin.clone(),
            source: cause.source.clone(),
            id: cause.id.clone(),
        };
        let position = Position { epoch: set.epoch, revision: set.revision };
        Some(Self { event, position, rejected: set.rejected.clone(), seen_in: trace::current() })
    }
}

/// Records outcomes; the first of an event stays.
///
/// # Errors
/// What PostgreSQL said.
pub async fn insert(tx: &mut PgConnection, applied: &[Applied]) -> Result<(), sqlx::Error> {
    if applied.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO applied_event (organization, origin, source, id, epoch, revision, rejected)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[])
         ON CONFLICT DO NOTHING",
    )
    .bind(applied.iter().map(|applied| applied.event.organization).collect::<Vec<_>>())
    .bind(column(applied, |applied| &applied.event.origin))
    .bind(column(applied, |applied| &applied.event.source))
    .bind(column(applied, |applied| &applied.event.id))
    .bind(applied.iter().map(|applied| applied.position.epoch).collect::<Vec<_>>())
    .bind(applied.iter().map(|applied| applied.position.revision).collect::<Vec<_>>())
    .bind(applied.iter().map(|applied| applied.rejected.as_deref()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

fn column<'a>(applied: &'a [Applied], of: impl Fn(&'a Applied) -> &'a String) -> Vec<&'a str> {
    applied.iter().map(|applied| of(applied).as_str()).collect()
}

/// Whether the outcome of an event is applied here.
///
/// # Errors
/// What PostgreSQL said.
pub async fn is_applied(pool: &PgPool, event: &EventName) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM applied_event
                        WHERE organization = $1 AND origin = $2 AND source = $3 AND id = $4)",
    )
    .bind(event.organization)
    .bind(&event.origin)
    .bind(&event.source)
    .bind(&event.id)
    .fetch_one(pool)
    .await
}
