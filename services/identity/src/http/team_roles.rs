//! `/teams/{teamId}/assigned-roles`

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use writ_contract::{GrantId, TeamId};
use writ_service::{ListQuery, Path};

use super::input::Creation;
use super::role_names::{AssignRole, AssignedRole, RoleQuery};
use super::teams::TeamPath;
use super::{Administrator, EmptyReply, Paginated, Reply, Result, roles};
use crate::app::App;
use crate::store::assignments::Assignee;

/// A role of a team in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct TeamRolePath {
    /// The team.
    team_id: TeamId,
    /// The assignment.
    role_id: GrantId,
}

/// Lists the roles of a team.
#[utoipa::path(get, path = "/teams/{teamId}/assigned-roles", operation_id = "list_team_roles", tag = "Roles",
    params(TeamPath, RoleQuery), responses((status = 200, body = Paginated<AssignedRole>), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamPath>,
    ListQuery(query): ListQuery<RoleQuery>,
) -> Result<Reply<Paginated<AssignedRole>>> {
    roles::list_assigned(&app, &admin, Assignee::team(path.team_id), &query).await
}

/// Shows a role of a team.
#[utoipa::path(get, path = "/teams/{teamId}/assigned-roles/{roleId}", operation_id = "get_team_role", tag = "Roles",
    params(TeamRolePath), responses((status = 200, body = AssignedRole), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamRolePath>,
) -> Result<Reply<AssignedRole>> {
    roles::get_assigned(&app, &admin, Assignee::team(path.team_id), path.role_id).await
}

/// Assigns a role to a team.
#[utoipa::path(post, path = "/teams/{teamId}/assigned-roles", operation_id = "assign_team_role", tag = "Roles",
    params(TeamPath), request_body = AssignRole,
    responses((status = 201, body = AssignedRole), (status = 404), (status = 409)))]
pub(super) async fn assign(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamPath>,
    role: Creation<AssignRole>,
) -> Result<Reply<AssignedRole>> {
    roles::assign(&app, &admin, Assignee::team(path.team_id), role).await
}

/// Removes a role from a team.
#[utoipa::path(delete, path = "/teams/{teamId}/assigned-roles/{roleId}", operation_id = "unassign_team_role",
    tag = "Roles", params(TeamRolePath), responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn unassign(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamRolePath>,
) -> Result<EmptyReply> {
    roles::unassign(&app, &admin, Assignee::team(path.team_id), path.role_id).await
}
