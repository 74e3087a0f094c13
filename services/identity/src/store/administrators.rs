//! The rule that an organization keeps an administrator who can come in.
//!
//! Tokens are the only way in. Whoever is an administrator and has no valid token can do nothing about it, so only
//! active users who hold Identity · Admin *and* a token that has neither expired nor been revoked are counted.

use time::OffsetDateTime;
use writ_contract::{OrganizationId, PLATFORM_ORGANIZATION, UserId};
use writ_log::database::{LIMIT, bounded};

use super::{PendingRevision, Store};
use crate::domain::access::Access;
use crate::error::{IdentityError, Result};

const LAST_ADMINISTRATOR: IdentityError =
    IdentityError::Conflict("An organization must keep one active administrator who has a valid token");
const LAST_TOKEN: IdentityError = IdentityError::Conflict(
    "This is the last valid token of the organization's administrators; issue another one first",
);

/// Rejects a revision that would leave the organization without an administrator who can come in.
///
/// # Errors
/// [`IdentityError::Conflict`] when there would be none.
pub async fn must_remain(revision: &mut PendingRevision) -> Result<()> {
    let organization = revision.organization();
    let remains: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM administrator_token WHERE organization = $1)")
        .bind(organization)
        .fetch_one(revision.connection())
        .await?;
    if remains { Ok(()) } else { Err(LAST_ADMINISTRATOR) }
}

/// Rejects a revision that has ended a token of `user`, if that was the last token of the administrators. Who is none
/// may end what tokens they like.
///
/// # Errors
/// [`IdentityError::Conflict`] then.
pub async fn must_keep_a_token(revision: &mut PendingRevision, user: UserId) -> Result<()> {
    let organization = revision.organization();
    let locked_out: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM administrator WHERE organization = $1 AND id = $2)
                AND NOT EXISTS (SELECT FROM administrator_token WHERE organization = $1)",
    )
    .bind(organization)
    .bind(user)
    .fetch_one(revision.connection())
    .await?;
    if locked_out { Err(LAST_TOKEN) } else { Ok(()) }
}

impl Store {
    /// Until when an administrator of the organization can come in, as things are; `None` if none can.
    pub async fn accessible_until(&self, organization: OrganizationId) -> Result<Option<OffsetDateTime>> {
        let last = sqlx::query_scalar("SELECT max(expires_at) FROM administrator_token WHERE organization = $1");
        Ok(last.bind(organization).fetch_one(self.pool()).await?)
    }

    /// Whether administrators can come in, for at most `most` active organizations after `after`, in the order of their
    /// ids.
    pub async fn accesses(&self, after: OrganizationId, most: i64) -> Result<Vec<(OrganizationId, Access)>> {
        let statement = sqlx::query_as(
            "SELECT o.id, (SELECT max(t.expires_at) FROM administrator_token t WHERE t.organization = o.id)
               FROM organization o WHERE o.id > $1 AND o.id <> $2 AND o.state = 'active' ORDER BY o.id LIMIT $3",
        )
        .bind(after)
        .bind(PLATFORM_ORGANIZATION)
        .bind(most);
        let read = bounded(self.pool(), LIMIT, async |connection| statement.fetch_all(connection).await);
        let rows: Vec<(OrganizationId, Option<OffsetDateTime>)> = read.await?;
        let now = OffsetDateTime::now_utc();
        Ok(rows.into_iter().map(|(organization, until)| (organization, Access::at(until, now))).collect())
    }
}
