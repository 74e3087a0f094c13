//! Roles assigned to principals.

use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use writ_contract::identity_event::Change;
use writ_contract::row::{Grant, PrincipalKind, Validity};
use writ_contract::{GrantId, OrganizationId, PrincipalId, RoleKey, TeamId, Timestamp, UserId};

use super::{PendingRevision, Store, quotas};
use crate::domain::assignment::administrator;
use crate::domain::quota::Quota;
use crate::error::{IdentityError, Result};

/// A principal that can hold roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignee {
    /// Its kind.
    pub kind: PrincipalKind,
    /// Its id.
    pub id: PrincipalId,
}

impl Assignee {
    /// A user.
    pub fn user(id: UserId) -> Self {
        Self { kind: PrincipalKind::User, id: id.into() }
    }

    /// A team.
    pub fn team(id: TeamId) -> Self {
        Self { kind: PrincipalKind::Team, id: id.into() }
    }
}

fn grant_of(row: &PgRow) -> sqlx::Result<Grant> {
    let time = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<OffsetDateTime>, _>(column)?.map(Timestamp::from));
    Ok(Grant {
        id: row.try_get("id")?,
        principal: row.try_get("principal")?,
        role: row.try_get("role")?,
        entity_type: row.try_get("entity_type")?,
        entity_id: row.try_get("entity_id")?,
        region: row.try_get("region")?,
        validity: Validity { from: time("valid_from")?, until: time("valid_until")? },
        condition: row.try_get("condition")?,
    })
}

impl Store {
    /// The grants of a principal, oldest first.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when the organization has no such principal.
    pub async fn grants(&self, organization: OrganizationId, assignee: Assignee) -> Result<Vec<Grant>> {
        self.must_exist(organization, assignee).await?;
        let rows = sqlx::query("SELECT * FROM role_assignment WHERE organization = $1 AND principal = $2 ORDER BY id")
            .bind(organization)
            .bind(assignee.id)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.iter().map(grant_of).collect::<sqlx::Result<_>>()?)
    }

    /// One grant of a principal.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when the principal does not have it.
    pub async fn grant(&self, organization: OrganizationId, assignee: Assignee, id: GrantId) -> Result<Grant> {
        self.must_exist(organization, assignee).await?;
        let row = sqlx::query("SELECT * FROM role_assignment WHERE organization = $1 AND principal = $2 AND id = $3")
            .bind(organization)
            .bind(assignee.id)
            .bind(id)
            .fetch_optional(self.pool())
            .await?;
        Ok(grant_of(&row.ok_or(IdentityError::NotFound("role"))?)?)
    }

    async fn must_exist(&self, organization: OrganizationId, assignee: Assignee) -> Result<()> {
        let exists: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM principal WHERE organization = $1 AND id = $2 AND kind = $3)",
        )
        .bind(organization)
        .bind(assignee.id)
        .bind(assignee.kind)
        .fetch_one(self.pool())
        .await?;
        if exists { Ok(()) } else { Err(IdentityError::NotFound(assignee.kind.as_str())) }
    }
}

/// Assigns a role.
///
/// # Errors
/// [`IdentityError::NotFound`] when the organization has no such principal; [`IdentityError::SystemTeam`];
/// [`IdentityError::Exists`] when it has the role already; [`IdentityError::QuotaReached`].
pub async fn insert(revision: &mut PendingRevision, assignee: Assignee, grant: &Grant) -> Result<()> {
    let organization = revision.organization();
    let (exists, system_team, assigned, used, maximum): (bool, bool, bool, i64, Option<i64>) = sqlx::query_as(
        "WITH p AS (SELECT id, coalesce(system_team, false) AS system_team
                      FROM principal LEFT JOIN team USING (organization, id)
                     WHERE organization = $1 AND id = $2 AND kind = $3),
              assigned AS (INSERT INTO role_assignment (organization, id, principal, role, entity_type, entity_id, region)
                           SELECT $1, $4, p.id, $5, $6, $7, $8 FROM p WHERE NOT p.system_team
                           ON CONFLICT DO NOTHING RETURNING id)
         SELECT EXISTS (SELECT FROM p), EXISTS (SELECT FROM p WHERE system_team), EXISTS (SELECT FROM assigned),
                (SELECT count(*) FROM role_assignment WHERE organization = $1 AND principal = $2),
                (SELECT maximum FROM quota WHERE organization = $1 AND resource = $9)",
    )
    .bind(organization)
    .bind(grant.principal)
    .bind(assignee.kind)
    .bind(grant.id)
    .bind(&grant.role)
    .bind(&grant.entity_type)
    .bind(&grant.entity_id)
    .bind(grant.region)
    .bind(Quota::RolesPerPrincipal.as_str())
    .fetch_one(revision.connection())
    .await?;
    match (exists, system_team, assigned) {
        (false, _, _) => Err(IdentityError::NotFound(assignee.kind.as_str())),
        (_, true, _) => Err(IdentityError::SystemTeam),
        (_, _, false) => {
            let id = existing(revision, grant).await?.as_uuid();
            Err(IdentityError::Exists { what: "Role is already assigned", id })
        }
        // Counted before this one was added.
        _ => quotas::within(Quota::RolesPerPrincipal, used + 1, maximum),
    }
}

/// The grant that gives the same as this one.
async fn existing(revision: &mut PendingRevision, grant: &Grant) -> Result<GrantId> {
    let organization = revision.organization();
    let id = sqlx::query_scalar(
        "SELECT id FROM role_assignment
          WHERE organization = $1 AND principal = $2 AND role = $3 AND entity_type = $4
            AND entity_id IS NOT DISTINCT FROM $5 AND region IS NOT DISTINCT FROM $6 AND condition IS NULL",
    )
    .bind(organization)
    .bind(grant.principal)
    .bind(&grant.role)
    .bind(&grant.entity_type)
    .bind(&grant.entity_id)
    .bind(grant.region)
    .fetch_one(revision.connection())
    .await?;
    Ok(id)
}

/// Makes the system team administrators; returns the change for the event.
pub async fn insert_administrator(revision: &mut PendingRevision, team: TeamId) -> Result<Change> {
    let (organization, grant) = (revision.organization(), administrator(team.into()));
    sqlx::query(
        "INSERT INTO role_assignment (organization, id, principal, role, entity_type) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(organization)
    .bind(grant.id)
    .bind(grant.principal)
    .bind(&grant.role)
    .bind(&grant.entity_type)
    .execute(revision.connection())
    .await?;
    Ok(Change::RoleAssigned(grant))
}

/// Removes a role from a principal; returns its key.
///
/// # Errors
/// [`IdentityError::NotFound`] when the principal does not have it; [`IdentityError::SystemTeam`].
pub async fn delete(revision: &mut PendingRevision, assignee: Assignee, id: GrantId) -> Result<RoleKey> {
    let organization = revision.organization();
    let found: Option<(bool, Option<RoleKey>)> = sqlx::query_as(
        "WITH p AS (SELECT id, coalesce(system_team, false) AS system_team
                      FROM principal LEFT JOIN team USING (organization, id)
                     WHERE organization = $1 AND id = $2 AND kind = $3),
              deleted AS (DELETE FROM role_assignment a USING p
                           WHERE a.organization = $1 AND a.principal = p.id AND a.id = $4 AND NOT p.system_team
                          RETURNING a.role)
         SELECT system_team, (SELECT role FROM deleted) FROM p",
    )
    .bind(organization)
    .bind(assignee.id)
    .bind(assignee.kind)
    .bind(id)
    .fetch_optional(revision.connection())
    .await?;
    match found {
        None => Err(IdentityError::NotFound(assignee.kind.as_str())),
        Some((true, _)) => Err(IdentityError::SystemTeam),
        Some((_, None)) => Err(IdentityError::NotFound("role")),
        Some((_, Some(role))) => Ok(role),
    }
}
