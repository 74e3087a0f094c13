//! `/users/{userId}/assigned-roles`

use axum::extract::State;

use super::assigned_roles as roles;
use super::{Admin, Answer, Body, Caller, Empty, Ids, Parameters, Result};
use crate::app::App;
use crate::domain::assignment::{AssignRole, AssignedRole};
use crate::domain::page::Paginated;
use crate::store::assignments::{Assignee, AssigneeKind};

fn user(ids: &Ids) -> Result<Assignee> {
    Ok(Assignee { kind: AssigneeKind::User, id: ids.id("userId")? })
}

/// Lists the roles of a user.
#[utoipa::path(get, path = "/users/{userId}/assigned-roles", operation_id = "list_user_roles", tag = "Roles",
    responses((status = 200, body = Paginated<AssignedRole>), (status = 404)),
    params(("userId" = uuid::Uuid, Path), ("filter" = Option<String>, Query)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Parameters(query): Parameters,
) -> Result<Answer<Paginated<AssignedRole>>> {
    let user = user(&ids)?;
    caller.must_be(user.id)?;
    roles::list(&app, &caller, user, query).await
}

/// Shows a role of a user.
#[utoipa::path(get, path = "/users/{userId}/assigned-roles/{roleId}", operation_id = "get_user_role", tag = "Roles",
    responses((status = 200, body = AssignedRole), (status = 404)),
    params(("userId" = uuid::Uuid, Path), ("roleId" = uuid::Uuid, Path)))]
pub(super) async fn get(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Answer<AssignedRole>> {
    let user = user(&ids)?;
    caller.must_be(user.id)?;
    roles::get(&app, &caller, user, &ids).await
}

/// Assigns a role to a user.
#[utoipa::path(post, path = "/users/{userId}/assigned-roles", operation_id = "assign_user_role", tag = "Roles", request_body = AssignRole,
    responses((status = 201, body = AssignedRole), (status = 400), (status = 404), (status = 409)),
    params(("userId" = uuid::Uuid, Path)))]
pub(super) async fn assign(
    State(app): State<App>,
    Admin(admin): Admin,
    ids: Ids,
    Body(body): Body,
) -> Result<Answer<AssignedRole>> {
    roles::assign(&app, &admin, user(&ids)?, &body).await
}

/// Takes a role from a user.
#[utoipa::path(delete, path = "/users/{userId}/assigned-roles/{roleId}", operation_id = "unassign_user_role", tag = "Roles",
    responses((status = 204), (status = 404), (status = 409)),
    params(("userId" = uuid::Uuid, Path), ("roleId" = uuid::Uuid, Path)))]
pub(super) async fn unassign(State(app): State<App>, Admin(admin): Admin, ids: Ids) -> Result<Empty> {
    roles::unassign(&app, &admin, user(&ids)?, &ids).await
}
