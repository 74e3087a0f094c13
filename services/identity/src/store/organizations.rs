//! Organizations.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use writ_contract::row::OrganizationState;
use writ_contract::{OrganizationId, PLATFORM_ORGANIZATION};

use super::listing::text;
use super::{PendingRevision, Store};
use crate::domain::organization::Organization;
use crate::error::{IdentityError, Result};

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

/// Erases everything in an organization. Its id, revision and state are kept, so that the id is never reused.
pub async fn erase(revision: &mut PendingRevision) -> Result<()> {
    let (organization, at) = (revision.organization(), revision.at());
    sqlx::query("DELETE FROM principal WHERE organization = $1")
        .bind(organization)
        .execute(revision.connection())
        .await?;
    sqlx::query("UPDATE organization SET state = 'deleted', name = '', owner_id = NULL, updated_at = $2 WHERE id = $1")
        .bind(organization)
        .bind(at)
        .execute(revision.connection())
        .await?;
    Ok(())
}
