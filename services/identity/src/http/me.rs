//! `/users/me` and `/organizations/me`

use axum::extract::State;

use super::organizations::OrganizationResponse;
use super::users::UserResponse;
use super::{Caller, Reply, Result};
use crate::app::App;

/// Shows the user the token belongs to.
#[utoipa::path(get, path = "/users/me", operation_id = "get_me", tag = "Me",
    responses((status = 200, body = UserResponse)))]
pub(super) async fn user(State(app): State<App>, caller: Caller) -> Result<Reply<UserResponse>> {
    let user = app.store.user(caller.organization, caller.user).await?;
    app.show(caller.organization, user.into()).await
}

/// Shows the organization the token belongs to.
#[utoipa::path(get, path = "/organizations/me", operation_id = "get_my_organization", tag = "Me",
    responses((status = 200, body = OrganizationResponse)))]
pub(super) async fn organization(State(app): State<App>, caller: Caller) -> Result<Reply<OrganizationResponse>> {
    let organization = app.store.organization(caller.organization).await?;
    app.show(caller.organization, organization.into()).await
}
