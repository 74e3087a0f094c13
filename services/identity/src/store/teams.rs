//! Teams.

use sqlx::PgExecutor;
use sqlx::types::Json;
use uuid::Uuid;

use super::listing::{Counted, page_of, past_the_end};
use super::{Revision, Store};
use crate::domain::Invalid;
use crate::domain::page::{Page, Paginated};
use crate::domain::team::{CreateTeam, Team, TeamFilter};
use crate::error::{Error, Result};

impl Store {
    /// A team.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no such team.
    pub async fn team(&self, organization: Uuid, id: Uuid) -> Result<Team> {
        find(self.pool(), organization, id).await
    }

    /// A page of the teams; of those a principal is in, if one is given.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn teams(
        &self,
        organization: Uuid,
        member: Option<Uuid>,
        filter: &TeamFilter,
        page: Page,
    ) -> Result<Paginated<Team>> {
        let rows = self.team_rows(organization, member, filter, page).await?;
        if let Some(found) = page_of(page, rows) {
            return Ok(found);
        }
        let first = self.team_rows(organization, member, filter, Page { number: 1, size: 1 }).await?;
        Ok(past_the_end(page, &first))
    }

    async fn team_rows(
        &self,
        organization: Uuid,
        member: Option<Uuid>,
        filter: &TeamFilter,
        page: Page,
    ) -> Result<Vec<Counted<Team>>> {
        let keys: Vec<&str> = filter.labels.iter().map(|label| label.key.as_str()).collect();
        let (operators, values): (Vec<&str>, Vec<String>) =
            filter.labels.iter().map(|label| label.test.operands()).unzip();
        let rows = sqlx::query_as(
            "SELECT id, name, description, system_team, labels, created_at, updated_at, count(*) OVER () AS total
               FROM team t
              WHERE organization = $1
                AND ($2::uuid IS NULL OR EXISTS (
                     SELECT FROM membership m WHERE m.organization = t.organization AND m.team = t.id AND m.member = $2))
                AND ($3::text IS NULL OR name = $3) AND ($4::text IS NULL OR name ILIKE $4)
                AND NOT EXISTS (
                    SELECT FROM unnest($5::text[], $6::text[], $7::text[]) AS test (key, operator, value)
                     WHERE NOT coalesce(CASE operator
                           WHEN 'eq' THEN labels ->> key = value
                           WHEN 'contains' THEN labels ->> key ILIKE value
                           ELSE (labels ? key) = value::boolean END, false))
              ORDER BY id OFFSET $8 LIMIT $9",
        )
        .bind(organization)
        .bind(member)
        .bind(&filter.name.eq)
        .bind(filter.name.pattern())
        .bind(keys)
        .bind(operators)
        .bind(values)
        .bind(page.offset())
        .bind(page.limit())
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }
}

async fn find(connection: impl PgExecutor<'_>, organization: Uuid, id: Uuid) -> Result<Team> {
    sqlx::query_as(
        "SELECT id, name, description, system_team, labels, created_at, updated_at FROM team WHERE organization = $1 AND id = $2",
    )
    .bind(organization)
    .bind(id)
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NotFound("team"))
}

/// The team as it is within the revision, to be changed.
///
/// # Errors
/// [`Error::NotFound`] when the organization has no such team; [`Error::Invalid`] when it is a
/// system team.
pub async fn get_changeable(revision: &mut Revision, id: Uuid) -> Result<Team> {
    let organization = revision.organization();
    let team = find(revision.connection(), organization, id).await?;
    if team.system_team { Err(Invalid::system_team().into()) } else { Ok(team) }
}

/// Inserts a team.
///
/// # Errors
/// When the database does not take it.
pub async fn insert(revision: &mut Revision, new: CreateTeam, system_team: bool) -> Result<Team> {
    let (organization, at) = (revision.organization(), revision.at());
    let team = sqlx::query_as(
        "WITH new AS (INSERT INTO principal (organization, id, kind, active) VALUES ($1, $2, 'team', true) RETURNING organization, id)
         INSERT INTO team (organization, id, name, description, system_team, labels, created_at, updated_at)
         SELECT organization, id, $3, $4, $5, $6, $7, $7 FROM new
         RETURNING id, name, description, system_team, labels, created_at, updated_at",
    )
    .bind(organization)
    .bind(Uuid::now_v7())
    .bind(new.name)
    .bind(new.description)
    .bind(system_team)
    .bind(Json(new.labels))
    .bind(at)
    .fetch_one(revision.connection())
    .await?;
    Ok(team)
}

/// Stores a changed team.
///
/// # Errors
/// When the database does not take it.
pub async fn update(revision: &mut Revision, team: &Team) -> Result<()> {
    let organization = revision.organization();
    sqlx::query(
        "UPDATE team SET name = $3, description = $4, labels = $5, updated_at = $6 WHERE organization = $1 AND id = $2",
    )
    .bind(organization)
    .bind(team.id)
    .bind(&team.name)
    .bind(&team.description)
    .bind(&team.labels)
    .bind(team.updated_at)
    .execute(revision.connection())
    .await?;
    Ok(())
}

/// Deletes a team with its memberships and assigned roles.
///
/// # Errors
/// When the database does not take it.
pub async fn delete(revision: &mut Revision, id: Uuid) -> Result<()> {
    let organization = revision.organization();
    sqlx::query("DELETE FROM principal WHERE organization = $1 AND id = $2 AND kind = 'team'")
        .bind(organization)
        .bind(id)
        .execute(revision.connection())
        .await?;
    Ok(())
}
