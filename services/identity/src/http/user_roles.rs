//! `/users/{userId}/assigned-roles`

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use writ_contract::{GrantId, UserId};
use writ_service::{ListQuery, Path};

use super::input::Creation;
use super::role_names::{AssignRole, AssignedRole, RoleQuery};
use super::users::UserPath;
use super::{Administrator, Caller, EmptyReply, Paginated, Reply, Result, roles};
use crate::app::App;
use crate::store::assignments::Assignee;

/// A role of a user in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserRolePath {
    /// The user.
    user_id: UserId,
    /// The assignment.
    role_id: GrantId,
}

/// Lists the roles of a user.
#[utoipa::path(get, path = "/users/{userId}/assigned-roles", operation_id = "list_user_roles", tag = "Roles",
    params(UserPath, RoleQuery), responses((status = 200, body = Paginated<AssignedRole>), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserPath>,
    ListQuery(query): ListQuery<RoleQuery>,
) -> Result<Reply<Paginated<AssignedRole>>> {
    caller.must_be(path.user_id)?;
    roles::list_assigned(&app, &caller, Assignee::user(path.user_id), &query).await
}

/// Shows a role of a user.
#[utoipa::path(get, path = "/users/{userId}/assigned-roles/{roleId}", operation_id = "get_user_role", tag = "Roles",
    params(UserRolePath), responses((status = 200, body = AssignedRole), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserRolePath>,
) -> Result<Reply<AssignedRole>> {
    caller.must_be(path.user_id)?;
    roles::get_assigned(&app, &caller, Assignee::user(path.user_id), path.role_id).await
}

/// Assigns a role to a user.
#[utoipa::path(post, path = "/users/{userId}/assigned-roles", operation_id = "assign_user_role", tag = "Roles",
    params(UserPath), request_body = AssignRole,
    responses((status = 201, body = AssignedRole), (status = 404), (status = 409)))]
pub(super) async fn assign(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<UserPath>,
    role: Creation<AssignRole>,
) -> Result<Reply<AssignedRole>> {
    roles::assign(&app, &admin, Assignee::user(path.user_id), role).await
}

/// Removes a role from a user.
#[utoipa::path(delete, path = "/users/{userId}/assigned-roles/{roleId}", operation_id = "unassign_user_role",
    tag = "Roles", params(UserRolePath), responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn unassign(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<UserRolePath>,
) -> Result<EmptyReply> {
    roles::unassign(&app, &admin, Assignee::user(path.user_id), path.role_id).await
}
