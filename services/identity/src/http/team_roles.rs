//! `/teams/{teamId}/assigned-roles`

use axum::extract::State;

use super::assigned_roles as roles;
use super::{Admin, Answer, Body, Empty, Ids, Parameters, Result};
use crate::app::App;
use crate::domain::assignment::{AssignRole, AssignedRole};
use crate::domain::page::Paginated;
use crate::store::assignments::{Assignee, AssigneeKind};

fn team(ids: &Ids) -> Result<Assignee> {
    Ok(Assignee { kind: AssigneeKind::Team, id: ids.id("teamId")? })
}

/// Lists the roles of a team.
#[utoipa::path(get, path = "/teams/{teamId}/assigned-roles", operation_id = "list_team_roles", tag = "Roles",
    responses((status = 200, body = Paginated<AssignedRole>), (status = 404)),
    params(("teamId" = uuid::Uuid, Path), ("filter" = Option<String>, Query)))]
pub(super) async fn list(
    State(app): State<App>,
    Admin(caller): Admin,
    ids: Ids,
    Parameters(query): Parameters,
) -> Result<Answer<Paginated<AssignedRole>>> {
    let team = team(&ids)?;
    roles::list(&app, &caller, team, query).await
}

/// Shows a role of a team.
#[utoipa::path(get, path = "/teams/{teamId}/assigned-roles/{roleId}", operation_id = "get_team_role", tag = "Roles",
    responses((status = 200, body = AssignedRole), (status = 404)),
    params(("teamId" = uuid::Uuid, Path), ("roleId" = uuid::Uuid, Path)))]
pub(super) async fn get(State(app): State<App>, Admin(caller): Admin, ids: Ids) -> Result<Answer<AssignedRole>> {
    let team = team(&ids)?;
    roles::get(&app, &caller, team, &ids).await
}

/// Assigns a role to a team.
#[utoipa::path(post, path = "/teams/{teamId}/assigned-roles", operation_id = "assign_team_role", tag = "Roles", request_body = AssignRole,
    responses((status = 201, body = AssignedRole), (status = 400), (status = 404), (status = 409)),
    params(("teamId" = uuid::Uuid, Path)))]
pub(super) async fn assign(
    State(app): State<App>,
    Admin(admin): Admin,
    ids: Ids,
    Body(body): Body,
) -> Result<Answer<AssignedRole>> {
    roles::assign(&app, &admin, team(&ids)?, &body).await
}

/// Takes a role from a team.
#[utoipa::path(delete, path = "/teams/{teamId}/assigned-roles/{roleId}", operation_id = "unassign_team_role", tag = "Roles",
    responses((status = 204), (status = 404), (status = 409)),
    params(("teamId" = uuid::Uuid, Path), ("roleId" = uuid::Uuid, Path)))]
pub(super) async fn unassign(State(app): State<App>, Admin(admin): Admin, ids: Ids) -> Result<Empty> {
    roles::unassign(&app, &admin, team(&ids)?, &ids).await
}
