//! Which principal has which role.

use uuid::Uuid;
use writ_contract::identity_event::Change;

use super::{Revision, Store};
use crate::domain::assignment::Grant;
use crate::error::{Error, Result};

/// A principal that can hold roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignee {
    /// What kind of principal it is.
    pub kind: AssigneeKind,
    /// Its id.
    pub id: Uuid,
}

impl Assignee {
    /// A user.
    pub fn user(id: Uuid) -> Self {
        Self { kind: AssigneeKind::User, id }
    }

    /// A team.
    pub fn team(id: Uuid) -> Self {
        Self { kind: AssigneeKind::Team, id }
    }
}

/// The kinds of principals that can hold roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssigneeKind {
    /// A person.
    User,
    /// A group.
    Team,
}

impl AssigneeKind {
    /// The name used in tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
        }
    }
}

#[derive(sqlx::FromRow)]
struct AssignmentRow {
    id: Uuid,
    #[sqlx(flatten)]
    grant: Grant,
}

impl Store {
    /// The grants of a principal with their ids, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no such principal.
    pub async fn grants(&self, organization: Uuid, assignee: Assignee) -> Result<Vec<(Uuid, Grant)>> {
        self.must_exist(organization, assignee).await?;
        let rows: Vec<AssignmentRow> = sqlx::query_as(
            "SELECT id, role, entity_type, entity_id, region FROM role_assignment
              WHERE organization = $1 AND principal = $2 ORDER BY id",
        )
        .bind(organization)
        .bind(assignee.id)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.grant)).collect())
    }

    /// One grant of a principal.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the principal does not have it.
    pub async fn grant(&self, organization: Uuid, assignee: Assignee, id: Uuid) -> Result<Grant> {
        self.must_exist(organization, assignee).await?;
        let row: Option<AssignmentRow> = sqlx::query_as(
            "SELECT id, role, entity_type, entity_id, region FROM role_assignment
              WHERE organization = $1 AND principal = $2 AND id = $3",
        )
        .bind(organization)
        .bind(assignee.id)
        .bind(id)
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| row.grant).ok_or(Error::NotFound("role"))
    }

    async fn must_exist(&self, organization: Uuid, assignee: Assignee) -> Result<()> {
        let exists: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM principal WHERE organization = $1 AND id = $2 AND kind = $3)",
        )
        .bind(organization)
        .bind(assignee.id)
        .bind(assignee.kind.name())
        .fetch_one(self.pool())
        .await?;
        if exists { Ok(()) } else { Err(Error::NotFound(assignee.kind.name())) }
    }
}

/// Assigns a role; returns its id and the change for the event.
///
/// # Errors
/// [`Error::NotFound`] when the organization has no such principal; [`Error::SystemTeam`]; [`Error::Conflict`] when it has the role already.
pub async fn insert(revision: &mut Revision, assignee: Assignee, grant: &Grant) -> Result<(Uuid, Change)> {
    let (organization, id) = (revision.organization(), Uuid::now_v7());
    let (exists, system_team, assigned): (bool, bool, bool) = sqlx::query_as(
        "WITH p AS (SELECT id, coalesce(system_team, false) AS system_team
                      FROM principal LEFT JOIN team USING (organization, id)
                     WHERE organization = $1 AND id = $2 AND kind = $3),
              assigned AS (INSERT INTO role_assignment (organization, id, principal, role, entity_type, entity_id, region)
                           SELECT $1, $4, p.id, $5, $6, $7, $8 FROM p WHERE NOT p.system_team
                           ON CONFLICT DO NOTHING RETURNING id)
         SELECT EXISTS (SELECT FROM p), EXISTS (SELECT FROM p WHERE system_team), EXISTS (SELECT FROM assigned)",
    )
    .bind(organization)
    .bind(assignee.id)
    .bind(assignee.kind.name())
    .bind(id)
    .bind(&grant.role)
    .bind(&grant.entity_type)
    .bind(&grant.entity_id)
    .bind(&grant.region)
    .fetch_one(revision.connection())
    .await?;
    match (exists, system_team, assigned) {
        (false, _, _) => Err(Error::NotFound(assignee.kind.name())),
        (_, true, _) => Err(Error::SystemTeam),
        (_, _, false) => Err(Error::Conflict("Role is already assigned")),
        _ => Ok((id, assigned_change(id, assignee, grant.clone()))),
    }
}

fn assigned_change(assignment: Uuid, assignee: Assignee, grant: Grant) -> Change {
    Change::RoleAssigned {
        assignment,
        principal: assignee.id,
        role: grant.role,
        entity_type: grant.entity_type,
        entity_id: grant.entity_id,
        region: grant.region,
        valid_from: None,
        valid_until: None,
        condition: None,
    }
}

/// Assigns the role of administrators to the system team; returns the change for the event.
///
/// # Errors
/// When the database does not take it.
pub async fn insert_administrator(revision: &mut Revision, team: Uuid) -> Result<Change> {
    let (organization, id) = (revision.organization(), Uuid::now_v7());
    let grant = Grant::administrator();
    sqlx::query(
        "INSERT INTO role_assignment (organization, id, principal, role, entity_type) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(organization)
    .bind(id)
    .bind(team)
    .bind(&grant.role)
    .bind(&grant.entity_type)
    .execute(revision.connection())
    .await?;
    Ok(assigned_change(id, Assignee::team(team), grant))
}

/// Takes a role from a principal and says which it was.
///
/// # Errors
/// [`Error::NotFound`] when the principal does not have it; [`Error::SystemTeam`].
pub async fn delete(revision: &mut Revision, assignee: Assignee, id: Uuid) -> Result<String> {
    let organization = revision.organization();
    let found: Option<(bool, Option<String>)> = sqlx::query_as(
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
    .bind(assignee.kind.name())
    .bind(id)
    .fetch_optional(revision.connection())
    .await?;
    match found {
        None => Err(Error::NotFound(assignee.kind.name())),
        Some((true, _)) => Err(Error::SystemTeam),
        Some((_, None)) => Err(Error::NotFound("role")),
        Some((_, Some(role))) => Ok(role),
    }
}
