//! `/users/me` and `/organizations/me`

use axum::extract::State;

use super::{Answer, Caller, Result};
use crate::app::App;
use crate::domain::organization::Organization;
use crate::domain::user::User;

/// Shows the user whose token this is.
#[utoipa::path(get, path = "/users/me", operation_id = "get_me", tag = "Me", responses((status = 200, body = User)))]
pub(super) async fn user(State(app): State<App>, caller: Caller) -> Result<Answer<User>> {
    let user = app.store.user(caller.organization, caller.user).await?;
    app.read(caller.organization, user).await
}

/// Shows the organization that the token belongs to.
#[utoipa::path(get, path = "/organizations/me", operation_id = "get_my_organization", tag = "Me",
    responses((status = 200, body = Organization)))]
pub(super) async fn organization(State(app): State<App>, caller: Caller) -> Result<Answer<Organization>> {
    let organization = app.store.organization(caller.organization).await?;
    app.read(caller.organization, organization).await
}
