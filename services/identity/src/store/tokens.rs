//! Bearer tokens, by hash.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use time::OffsetDateTime;
use writ_contract::identity_event::Change;
use writ_contract::row::{Token, TokenKind};
use writ_contract::{Hash, OrganizationId, Timestamp, TokenId, UserId};
use writ_log::database::{LIMIT, bounded};

use super::listing::text;
use super::quotas::{Count, counted};
use super::{PendingRevision, Store};
use crate::domain::quota::Quota;
use crate::domain::text::TokenName;
use crate::domain::token::{EXPIRED_KEPT, PersonalToken};
use crate::error::{IdentityError, Result};

/// Maximum number of unexpired tokens of a user, whose list is not paged.
const MOST: i64 = 1000;
/// Expired tokens that one revision deletes.
const EXPIRED_AT_ONCE: i64 = 100;

/// A token that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The user it belongs to.
    pub user: UserId,
    /// What it is for.
    pub kind: TokenKind,
    /// What its holder calls it.
    pub name: TokenName,
    /// SHA-256 of its text.
    pub hash: Hash,
    /// When it expires.
    pub expires_at: OffsetDateTime,
}

#[derive(FromRow)]
struct Inserted {
    #[sqlx(flatten)]
    token: PersonalToken,
    #[sqlx(flatten)]
    count: Count,
}

impl FromRow<'_, PgRow> for PersonalToken {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            user: row.try_get("principal")?,
            name: text(row, "name")?,
            revoked_by: row.try_get("revoked_by")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            last_used_at: row.try_get("last_used_at")?,
            expires_at: row.try_get("expires_at")?,
            revoked_at: row.try_get("revoked_at")?,
        })
    }
}

impl Store {
    /// The personal tokens of a user, oldest first.
    pub async fn tokens(&self, organization: OrganizationId, user: UserId) -> Result<Vec<PersonalToken>> {
        let rows = sqlx::query_as(
            "SELECT id, principal, name, revoked_by, created_at, updated_at, last_used_at, expires_at, revoked_at
               FROM token WHERE organization = $1 AND principal = $2 AND kind = 'personal' ORDER BY id",
        )
        .bind(organization)
        .bind(user)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// At most `most` organizations after `after` that hold tokens whose time to be deleted has come, in the order of
    /// their ids.
    pub async fn holding_expired_tokens(&self, after: OrganizationId, most: i64) -> Result<Vec<OrganizationId>> {
        let statement = sqlx::query_scalar(
            "SELECT DISTINCT organization FROM token
              WHERE expires_at < statement_timestamp() - make_interval(secs => $1) AND organization > $2
              ORDER BY organization LIMIT $3",
        )
        .bind(EXPIRED_KEPT.as_seconds_f64())
        .bind(after)
        .bind(most);
        bounded(self.pool(), LIMIT, async |connection| Ok(statement.fetch_all(connection).await?)).await
    }

    /// A personal token of a user.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when the user has no such token.
    pub async fn token(&self, organization: OrganizationId, user: UserId, id: TokenId) -> Result<PersonalToken> {
        find(self.pool(), organization, user, id).await
    }
}

async fn find(
    connection: impl PgExecutor<'_>,
    organization: OrganizationId,
    user: UserId,
    id: TokenId,
) -> Result<PersonalToken> {
    sqlx::query_as(
        "SELECT id, principal, name, revoked_by, created_at, updated_at, last_used_at, expires_at, revoked_at
           FROM token WHERE organization = $1 AND principal = $2 AND kind = 'personal' AND id = $3",
    )
    .bind(organization)
    .bind(user)
    .bind(id)
    .fetch_optional(connection)
    .await?
    .ok_or(IdentityError::NotFound("token"))
}

/// The token within the revision.
///
/// # Errors
/// [`IdentityError::NotFound`] when the user has no such token.
pub async fn get(revision: &mut PendingRevision, user: UserId, id: TokenId) -> Result<PersonalToken> {
    let organization = revision.organization();
    find(revision.connection(), organization, user, id).await
}

/// Rejects another personal token for a user who has the maximum number. Expired ones do not count.
///
/// # Errors
/// [`IdentityError::Conflict`] then.
pub async fn must_have_room(revision: &mut PendingRevision, user: UserId) -> Result<()> {
    let organization = revision.organization();
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM token WHERE organization = $1 AND principal = $2 AND expires_at > statement_timestamp()",
    )
    .bind(organization)
    .bind(user)
    .fetch_one(revision.connection())
    .await?;
    if count < MOST { Ok(()) } else { Err(IdentityError::Conflict("The user has too many tokens; delete some")) }
}

/// Stores a new token; also returns the change for the event.
///
/// # Errors
/// [`IdentityError::QuotaReached`].
pub async fn insert(revision: &mut PendingRevision, new: NewToken) -> Result<(PersonalToken, Change)> {
    let (organization, at) = (revision.organization(), revision.at());
    let Inserted { token: row, count } = sqlx::query_as(concat!(
        "WITH inserted AS (
              INSERT INTO token (organization, id, principal, kind, name, hash, created_at, updated_at, expires_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
              RETURNING organization, id, principal, name, revoked_by, created_at, updated_at, last_used_at, expires_at, revoked_at),",
        counted!("tokens"),
        "SELECT inserted.*, used, maximum FROM inserted, counted"
    ))
    .bind(organization)
    .bind(TokenId::generate())
    .bind(new.user)
    .bind(new.kind)
    .bind(new.name.as_str())
    .bind(new.hash)
    .bind(at)
    .bind(new.expires_at)
    .fetch_one(revision.connection())
    .await?;
    count.must_be_within(Quota::Tokens)?;
    let issued = Token {
        id: row.id,
        hash: new.hash,
        principal: new.user.into(),
        kind: new.kind,
        expires_at: Timestamp::from(row.expires_at),
    };
    Ok((row, Change::TokenIssued(issued)))
}

/// Stores a changed name or revocation.
pub async fn update(revision: &mut PendingRevision, token: &PersonalToken) -> Result<()> {
    let organization = revision.organization();
    sqlx::query(
        "UPDATE token SET name = $3, updated_at = $4, revoked_at = $5, revoked_by = $6 WHERE organization = $1 AND id = $2",
    )
    .bind(organization)
    .bind(token.id)
    .bind(token.name.as_str())
    .bind(token.updated_at)
    .bind(token.revoked_at)
    .bind(token.revoked_by)
    .execute(revision.connection())
    .await?;
    Ok(())
}

/// Deletes a token, whatever its kind.
///
/// # Errors
/// [`IdentityError::NotFound`] when the principal has no such token.
pub async fn delete(revision: &mut PendingRevision, user: UserId, id: TokenId) -> Result<()> {
    let organization = revision.organization();
    let deleted = sqlx::query("DELETE FROM token WHERE organization = $1 AND principal = $2 AND id = $3")
        .bind(organization)
        .bind(user)
        .bind(id)
        .execute(revision.connection())
        .await?;
    if deleted.rows_affected() == 0 { Err(IdentityError::NotFound("token")) } else { Ok(()) }
}

/// Deletes some of the tokens that expired so long ago that nobody needs to see them any more; returns their ids.
pub async fn delete_expired(revision: &mut PendingRevision) -> Result<Vec<TokenId>> {
    let organization = revision.organization();
    let deleted = sqlx::query_scalar(
        "DELETE FROM token WHERE organization = $1 AND id IN (
             SELECT id FROM token
              WHERE organization = $1 AND expires_at < statement_timestamp() - make_interval(secs => $2)
              ORDER BY expires_at LIMIT $3)
         RETURNING id",
    )
    .bind(organization)
    .bind(EXPIRED_KEPT.as_seconds_f64())
    .bind(EXPIRED_AT_ONCE)
    .fetch_all(revision.connection())
    .await?;
    Ok(deleted)
}
