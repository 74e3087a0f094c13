//! Users.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use writ_contract::{OrganizationId, TeamId, UserId};

use super::listing::{Counted, operands, optional_text, page_of, past_the_end, text};
use super::quotas::{Count, counted};
use super::{PendingRevision, Store};
use crate::domain::filter::UserFilter;
use crate::domain::fold::folded_address;
use crate::domain::page::{Page, Paged};
use crate::domain::quota::Quota;
use crate::domain::text::{Email, Name, Text};
use crate::domain::user::User;
use crate::error::{IdentityError, Result};

impl FromRow<'_, PgRow> for User {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            email: text(row, "email")?,
            full_name: optional_text(row, "full_name")?,
            preferred_name: optional_text(row, "preferred_name")?,
            active: row.try_get("active")?,
            inferred_region: row.try_get("inferred_region")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl Store {
    /// A user.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when the organization has no such user.
    pub async fn user(&self, organization: OrganizationId, id: UserId) -> Result<User> {
        find(self.pool(), organization, id).await
    }

    /// A page of the users; of a team, if one is given.
    pub async fn users(
        &self,
        organization: OrganizationId,
        team: Option<TeamId>,
        filter: &UserFilter,
        page: Page,
    ) -> Result<Paged<User>> {
        let rows = self.user_rows(organization, team, filter, page).await?;
        if let Some(found) = page_of(page, rows) {
            return Ok(found);
        }
        let first = self.user_rows(organization, team, filter, Page { number: 1, size: 1 }).await?;
        Ok(past_the_end(page, &first))
    }

    async fn user_rows(
        &self,
        organization: OrganizationId,
        team: Option<TeamId>,
        filter: &UserFilter,
        page: Page,
    ) -> Result<Vec<Counted<User>>> {
        let (email, email_pattern) = operands(&filter.email);
        let email = email.map(folded_address);
        let (full_name, full_name_pattern) = operands(&filter.full_name);
        let rows = sqlx::query_as(
            "SELECT u.id, email, full_name, preferred_name, active, inferred_region, created_at, updated_at, count(*) OVER () AS total
               FROM user_account u JOIN principal p USING (organization, id)
              WHERE organization = $1
                AND ($2::uuid IS NULL OR EXISTS (
                     SELECT FROM membership m WHERE m.organization = u.organization AND m.member = u.id AND m.team = $2))
                AND ($3::uuid IS NULL OR id = $3)
                AND ($4::text IS NULL OR email_folded = $4) AND ($5::text IS NULL OR email_folded LIKE $5)
                AND ($6::text IS NULL OR full_name = $6) AND ($7::text IS NULL OR full_name_folded LIKE $7)
                AND ($8::boolean IS NULL OR active = $8)
              ORDER BY id OFFSET $9 LIMIT $10",
        )
        .bind(organization)
        .bind(team)
        .bind(filter.id)
        .bind(email)
        .bind(email_pattern)
        .bind(full_name)
        .bind(full_name_pattern)
        .bind(filter.active)
        .bind(page.offset())
        .bind(page.limit())
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }
}

async fn find(connection: impl PgExecutor<'_>, organization: OrganizationId, id: UserId) -> Result<User> {
    sqlx::query_as(
        "SELECT id, email, full_name, preferred_name, active, inferred_region, created_at, updated_at
           FROM user_account JOIN principal USING (organization, id)
          WHERE organization = $1 AND id = $2",
    )
    .bind(organization)
    .bind(id)
    .fetch_optional(connection)
    .await?
    .ok_or(IdentityError::NotFound("user"))
}

/// The user within the revision.
///
/// # Errors
/// [`IdentityError::NotFound`] when the organization has no such user.
pub async fn get(revision: &mut PendingRevision, id: UserId) -> Result<User> {
    let organization = revision.organization();
    find(revision.connection(), organization, id).await
}

/// Inserts a user who is active at once.
///
/// # Errors
/// When the organization has a user of this address; [`IdentityError::QuotaReached`].
pub async fn insert(revision: &mut PendingRevision, user: &User) -> Result<()> {
    insert_principal(revision, user.id, &user.email, true).await?;
    update(revision, user).await
}

/// Inserts a user who has been invited and is not active yet.
///
/// # Errors
/// When the organization has a user of this address; [`IdentityError::QuotaReached`].
pub async fn insert_invited(revision: &mut PendingRevision, id: UserId, email: &Email) -> Result<()> {
    insert_principal(revision, id, email, false).await
}

async fn insert_principal(revision: &mut PendingRevision, id: UserId, email: &Email, active: bool) -> Result<()> {
    let (organization, at) = (revision.organization(), revision.at());
    let count: Count = sqlx::query_as(concat!(
        "WITH new AS (INSERT INTO principal (organization, id, kind, active) VALUES ($1, $2, 'user', $3) RETURNING organization, id),
              inserted AS (INSERT INTO user_account (organization, id, email, email_folded, created_at, updated_at)
                           SELECT organization, id, $4, $5, $6, $6 FROM new RETURNING organization),",
        counted!("users"),
        "SELECT used, maximum FROM counted"
    ))
    .bind(organization)
    .bind(id)
    .bind(active)
    .bind(email.as_str())
    .bind(email.folded())
    .bind(at)
    .fetch_one(revision.connection())
    .await?;
    count.must_be_within(Quota::Users)
}

/// Stores the names of a user, and that it changed in this revision.
pub async fn update(revision: &mut PendingRevision, user: &User) -> Result<()> {
    let organization = revision.organization();
    sqlx::query(
        "UPDATE user_account SET full_name = $3, full_name_folded = $4, preferred_name = $5, updated_at = $6
          WHERE organization = $1 AND id = $2",
    )
    .bind(organization)
    .bind(user.id)
    .bind(user.full_name.as_ref().map(Name::as_str))
    .bind(user.full_name.as_ref().map(Name::folded))
    .bind(user.preferred_name.as_ref().map(Text::as_str))
    .bind(user.updated_at)
    .execute(revision.connection())
    .await?;
    Ok(())
}

/// Activates an invited user.
pub async fn activate(revision: &mut PendingRevision, id: UserId) -> Result<()> {
    let organization = revision.organization();
    sqlx::query("UPDATE principal SET active = true WHERE organization = $1 AND id = $2")
        .bind(organization)
        .bind(id)
        .execute(revision.connection())
        .await?;
    Ok(())
}

/// Removes all that is known of a user. Only its id stays, where others name it.
///
/// # Errors
/// [`IdentityError::NotFound`] when the organization has no such user.
pub async fn erase(revision: &mut PendingRevision, id: UserId) -> Result<()> {
    let organization = revision.organization();
    let erased = sqlx::query(
        "WITH erased AS (DELETE FROM principal WHERE organization = $1 AND id = $2 AND kind = 'user' RETURNING id),
              unowned AS (UPDATE organization SET owner_id = NULL FROM erased WHERE organization.id = $1 AND owner_id = erased.id)
         SELECT id FROM erased",
    )
    .bind(organization)
    .bind(id)
    .fetch_optional(revision.connection())
    .await?;
    erased.map(drop).ok_or(IdentityError::NotFound("user"))
}
