//! Teams.

use std::collections::BTreeMap;

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgExecutor, Row};
use writ_contract::{OrganizationId, TeamId, UserId};

use super::listing::{Counted, containing, operands, optional_text, page_of, past_the_end, text};
use super::quotas::{Count, counted};
use super::{PendingRevision, Store};
use crate::domain::filter::{LabelTest, TeamFilter};
use crate::domain::labels::Labels;
use crate::domain::page::{Page, Paged};
use crate::domain::quota::Quota;
use crate::domain::team::Team;
use crate::domain::text::Text;
use crate::error::{IdentityError, Result};

impl FromRow<'_, PgRow> for Team {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let Json(labels): Json<BTreeMap<String, String>> = row.try_get("labels")?;
        Ok(Self {
            id: row.try_get("id")?,
            name: text(row, "name")?,
            description: optional_text(row, "description")?,
            system_team: row.try_get("system_team")?,
            labels: Labels::new(labels).map_err(|violation| sqlx::Error::Decode(violation.reason.into()))?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// The operator's name and its operand, as the statement below takes them.
fn label_operand(test: &LabelTest) -> (&'static str, String) {
    match test {
        LabelTest::Eq(value) => ("eq", value.as_str().to_owned()),
        LabelTest::Contains(value) => ("contains", containing(value.as_str())),
        LabelTest::Exists(exists) => ("exists", exists.to_string()),
    }
}

impl Store {
    /// A team.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when the organization has no such team.
    pub async fn team(&self, organization: OrganizationId, id: TeamId) -> Result<Team> {
        find(self.pool(), organization, id).await
    }

    /// A page of the teams; of those a principal is in, if one is given.
    pub async fn teams(
        &self,
        organization: OrganizationId,
        member: Option<UserId>,
        filter: &TeamFilter,
        page: Page,
    ) -> Result<Paged<Team>> {
        let rows = self.team_rows(organization, member, filter, page).await?;
        if let Some(found) = page_of(page, rows) {
            return Ok(found);
        }
        let first = self.team_rows(organization, member, filter, Page { number: 1, size: 1 }).await?;
        Ok(past_the_end(page, &first))
    }

    async fn team_rows(
        &self,
        organization: OrganizationId,
        member: Option<UserId>,
        filter: &TeamFilter,
        page: Page,
    ) -> Result<Vec<Counted<Team>>> {
        let keys: Vec<&str> = filter.labels.iter().map(|label| label.key.as_str()).collect();
        let (operators, values): (Vec<&str>, Vec<String>) =
            filter.labels.iter().map(|label| label_operand(&label.test)).unzip();
        let (name, name_pattern) = operands(&filter.name);
        let rows = sqlx::query_as(
            "SELECT id, name, description, system_team, labels, created_at, updated_at, count(*) OVER () AS total
               FROM team t
              WHERE organization = $1
                AND ($2::uuid IS NULL OR EXISTS (
                     SELECT FROM membership m WHERE m.organization = t.organization AND m.team = t.id AND m.member = $2))
                AND ($3::text IS NULL OR name = $3) AND ($4::text IS NULL OR name_folded LIKE $4)
                AND NOT EXISTS (
                    SELECT FROM unnest($5::text[], $6::text[], $7::text[]) AS test (key, operator, value)
                     WHERE NOT coalesce(CASE operator
                           WHEN 'eq' THEN labels ->> key = value
                           WHEN 'contains' THEN (labels ->> key) COLLATE \"C\" ILIKE value COLLATE \"C\"
                           ELSE (labels ? key) = value::boolean END, false))
              ORDER BY id OFFSET $8 LIMIT $9",
        )
        .bind(organization)
        .bind(member)
        .bind(name)
        .bind(name_pattern)
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

async fn find(connection: impl PgExecutor<'_>, organization: OrganizationId, id: TeamId) -> Result<Team> {
    sqlx::query_as(
        "SELECT id, name, description, system_team, labels, created_at, updated_at FROM team WHERE organization = $1 AND id = $2",
    )
    .bind(organization)
    .bind(id)
    .fetch_optional(connection)
    .await?
    .ok_or(IdentityError::NotFound("team"))
}

/// The team within the revision, to be changed.
///
/// # Errors
/// [`IdentityError::NotFound`] when the organization has no such team; [`IdentityError::SystemTeam`].
pub async fn get_changeable(revision: &mut PendingRevision, id: TeamId) -> Result<Team> {
    let organization = revision.organization();
    let team = find(revision.connection(), organization, id).await?;
    if team.system_team { Err(IdentityError::SystemTeam) } else { Ok(team) }
}

/// Inserts a team.
///
/// # Errors
/// [`IdentityError::QuotaReached`].
pub async fn insert(revision: &mut PendingRevision, team: &Team) -> Result<()> {
    let organization = revision.organization();
    let count: Count = sqlx::query_as(concat!(
        "WITH new AS (INSERT INTO principal (organization, id, kind, active) VALUES ($1, $2, 'team', true) RETURNING organization, id),
              inserted AS (
                  INSERT INTO team (organization, id, name, name_folded, description, system_team, labels, created_at, updated_at)
                  SELECT organization, id, $3, $4, $5, $6, $7, $8, $8 FROM new RETURNING organization),",
        counted!("teams"),
        "SELECT used, maximum FROM counted"
    ))
    .bind(organization)
    .bind(team.id)
    .bind(team.name.as_str())
    .bind(team.name.folded())
    .bind(team.description.as_ref().map(Text::as_str))
    .bind(team.system_team)
    .bind(Json(team.labels.as_map()))
    .bind(team.created_at)
    .fetch_one(revision.connection())
    .await?;
    count.must_be_within(Quota::Teams)
}

/// Stores a changed team.
pub async fn update(revision: &mut PendingRevision, team: &Team) -> Result<()> {
    let organization = revision.organization();
    sqlx::query(
        "UPDATE team SET name = $3, name_folded = $4, description = $5, labels = $6, updated_at = $7
          WHERE organization = $1 AND id = $2",
    )
    .bind(organization)
    .bind(team.id)
    .bind(team.name.as_str())
    .bind(team.name.folded())
    .bind(team.description.as_ref().map(Text::as_str))
    .bind(Json(team.labels.as_map()))
    .bind(team.updated_at)
    .execute(revision.connection())
    .await?;
    Ok(())
}

/// Deletes a team with its memberships and assigned roles.
pub async fn delete(revision: &mut PendingRevision, id: TeamId) -> Result<()> {
    let organization = revision.organization();
    sqlx::query("DELETE FROM principal WHERE organization = $1 AND id = $2 AND kind = 'team'")
        .bind(organization)
        .bind(id)
        .execute(revision.connection())
        .await?;
    Ok(())
}
