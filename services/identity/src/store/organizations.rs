//! Organizations.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};
use writ_contract::row::OrganizationState;
use writ_contract::{OrganizationId, PLATFORM_ORGANIZATION};
use writ_log::database::{LIMIT, LONG_CALL, bounded};

use super::listing::text;
use super::{PendingRevision, Store};
use crate::domain::organization::Organization;
use crate::error::{IdentityError, Result};

/// Principals erased in one transaction.
const ERASED_AT_ONCE: i64 = 1_000;

impl FromRow<'_, PgRow> for Organization {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: text(row, "name")?,
            owner_id: row.try_get("owner_id")?,
            state: row.try_get("state")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl Store {
    /// An organization that is not deleted. The platform itself is not shown.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when there is none.
    pub async fn organization(&self, id: OrganizationId) -> Result<Organization> {
        let row: Option<Organization> = sqlx::query_as(
            "SELECT id, name, owner_id, state, created_at, updated_at FROM organization
              WHERE id = $1 AND id <> $2 AND state <> 'deleted'",
        )
        .bind(id)
        .bind(PLATFORM_ORGANIZATION)
        .fetch_optional(self.pool())
        .await?;
        row.ok_or(IdentityError::NotFound("organization"))
    }
}

/// The organization within the revision.
///
/// # Errors
/// [`IdentityError::NotFound`] when it is deleted.
pub async fn get(revision: &mut PendingRevision) -> Result<Organization> {
    let organization = revision.organization();
    let row: Option<Organization> =
        sqlx::query_as("SELECT id, name, owner_id, state, created_at, updated_at FROM organization WHERE id = $1")
            .bind(organization)
            .fetch_optional(revision.connection())
            .await?;
    row.ok_or(IdentityError::NotFound("organization"))
}

/// Stores a new state. False, and nothing stored, when it is the state already.
pub async fn set_state(revision: &mut PendingRevision, state: OrganizationState) -> Result<bool> {
    let (organization, at) = (revision.organization(), revision.at());
    let changed = sqlx::query("UPDATE organization SET state = $2, updated_at = $3 WHERE id = $1 AND state <> $2")
        .bind(organization)
        .bind(state)
        .bind(at)
        .execute(revision.connection())
        .await?;
    Ok(changed.rows_affected() > 0)
}

/// Deletes an organization: nobody comes in any more. Its id, revision and state are kept, so that the id is never reused.
/// What is in it is erased with it, as far as that is done quickly; the background task of `jobs.rs` erases the rest.
pub async fn delete(revision: &mut PendingRevision) -> Result<()> {
    let (organization, at) = (revision.organization(), revision.at());
    // First, so that nothing is counted while it goes.
    sqlx::query("DELETE FROM quota WHERE organization = $1").bind(organization).execute(revision.connection()).await?;
    erase_some(revision.connection(), organization).await?;
    sqlx::query("UPDATE organization SET state = 'deleted', name = '', owner_id = NULL, updated_at = $2 WHERE id = $1")
        .bind(organization)
        .bind(at)
        .execute(revision.connection())
        .await?;
    Ok(())
}

impl Store {
    /// Erases some of what is in deleted organizations. Returns whether there may be more.
    pub async fn erase_deleted(&self) -> Result<bool> {
        let next = sqlx::query_scalar(
            "SELECT o.id FROM organization o
              WHERE o.state = 'deleted' AND EXISTS (SELECT FROM principal p WHERE p.organization = o.id) LIMIT 1",
        );
        bounded(self.pool(), LONG_CALL, async |connection: &mut PgConnection| {
            let Some(organization) = next.fetch_optional(&mut *connection).await? else { return Ok(false) };
            erase_some(connection, organization).await?;
            Ok(true)
        })
        .await
    }

    /// Principals of deleted organizations that are not erased yet, counted as far as 1,000,000.
    pub async fn erasures(&self) -> Result<i32> {
        let count = sqlx::query_scalar(
            "SELECT count(*)::integer FROM (SELECT FROM principal p JOIN organization o ON o.id = p.organization
              WHERE o.state = 'deleted' LIMIT 1000000) AS counted",
        );
        bounded(self.pool(), LIMIT, async |connection: &mut PgConnection| Ok(count.fetch_one(connection).await?)).await
    }
}

/// Erases at most [`ERASED_AT_ONCE`] principals with all that belongs to them.
async fn erase_some(connection: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM principal WHERE organization = $1
            AND id IN (SELECT id FROM principal WHERE organization = $1 ORDER BY id LIMIT $2)",
    )
    .bind(organization)
    .bind(ERASED_AT_ONCE)
    .execute(connection)
    .await
    .map(drop)
}
