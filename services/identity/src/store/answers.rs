//! Answers that are kept for a repetition of their request.

use sqlx::PgConnection;
use time::Duration;
use writ_contract::UserId;
use writ_log::database::{LIMIT, bounded};

use super::{PendingRevision, Store};
use crate::domain::answer::{KeptAnswer, RepeatableRequest};
use crate::error::{IdentityError, Result};

/// How long an answer is kept.
const KEPT: Duration = Duration::hours(24);
/// Answers deleted by one statement.
const DELETED_AT_ONCE: i64 = 1000;

const OTHER_REQUEST: IdentityError =
    IdentityError::Conflict("The Idempotency-Key was sent with another request before; use a new one");
const UNREADABLE: IdentityError =
    IdentityError::Conflict("The request was made before, and its answer cannot be read any more");

/// Ends with [`IdentityError::Answered`] if the request was answered before. Whoever locks what the request changes asks
/// in time: two requests with one key then follow each other.
///
/// # Errors
/// [`IdentityError::Answered`]; [`IdentityError::Conflict`] when the key was sent with another request.
pub(super) async fn must_be_new(connection: &mut PgConnection, request: &RepeatableRequest) -> Result<()> {
    let kept: Option<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT request, answer FROM kept_answer
          WHERE id = $1 AND kept_at > statement_timestamp() - make_interval(secs => $2)",
    )
    .bind(request.id)
    .bind(KEPT.as_seconds_f64())
    .fetch_optional(connection)
    .await?;
    let Some((digest, sealed)) = kept else { return Ok(()) };
    if digest != request.digest.0 {
        return Err(OTHER_REQUEST);
    }
    // The service's key may have been replaced since.
    let answer = request.key.open(&sealed).map_err(|_| UNREADABLE)?;
    Err(IdentityError::Answered(Box::new(serde_json::from_slice(&answer)?)))
}

/// Makes requests with one key follow each other that change nothing in common.
pub(super) async fn lock(connection: &mut PgConnection, request: &RepeatableRequest) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('writ answer ' || encode($1, 'hex'), 0))")
        .bind(request.id)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// Whether an answer is kept for this request, or another one with the same key.
    pub async fn is_answered(&self, request: &RepeatableRequest) -> Result<bool> {
        let mut connection = self.pool().acquire().await?;
        match must_be_new(&mut connection, request).await {
            Ok(()) => Ok(false),
            Err(IdentityError::Answered(_) | IdentityError::Conflict(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Ends with the answer that is kept for a request whose caller cannot come in a second time.
    ///
    /// # Errors
    /// Always: [`IdentityError::Answered`], or [`IdentityError::Unauthenticated`] when there is none.
    pub async fn answer_again(&self, request: &RepeatableRequest) -> IdentityError {
        let asked = async {
            let mut connection = self.pool().acquire().await?;
            must_be_new(&mut connection, request).await
        };
        asked.await.err().unwrap_or(IdentityError::Unauthenticated)
    }

    /// Deletes some of the answers whose time is over; false when there are none left.
    pub async fn delete_answers(&self) -> Result<bool> {
        let statement = sqlx::query(
            "DELETE FROM kept_answer WHERE id IN (
                 SELECT id FROM kept_answer WHERE kept_at <= statement_timestamp() - make_interval(secs => $1)
                  ORDER BY kept_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        )
        .bind(KEPT.as_seconds_f64())
        .bind(DELETED_AT_ONCE);
        let deleted = bounded(self.pool(), LIMIT, async |connection| statement.execute(connection).await);
        Ok(deleted.await?.rows_affected() > 0)
    }
}

/// Keeps the answer to a request, which goes when `whose` goes.
pub async fn insert(
    revision: &mut PendingRevision,
    request: &RepeatableRequest,
    whose: UserId,
    answer: &KeptAnswer,
) -> Result<()> {
    let organization = revision.organization();
    let sealed = request.key.seal(&serde_json::to_vec(answer)?)?;
    sqlx::query(
        "INSERT INTO kept_answer (id, organization, principal, request, answer, kept_at)
         VALUES ($1, $2, $3, $4, $5, statement_timestamp())
         ON CONFLICT (id) DO UPDATE SET organization = $2, principal = $3, request = $4, answer = $5,
                kept_at = statement_timestamp()",
    )
    .bind(request.id)
    .bind(organization)
    .bind(whose)
    .bind(request.digest)
    .bind(sealed)
    .execute(revision.connection())
    .await?;
    Ok(())
}
