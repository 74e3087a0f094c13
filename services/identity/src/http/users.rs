//! `/users`

use axum::extract::State;
use writ_contract::identity_event::Change;

use super::{Admin, Answer, Body, Caller, Empty, Ids, Parameters, Result};
use crate::app::App;
use crate::domain::page::Paginated;
use crate::domain::user::{UpdateUser, User, UserFilter};
use crate::store::{administrators, users};

/// Lists the users.
#[utoipa::path(get, path = "/users", operation_id = "list_users", tag = "Users", responses((status = 200, body = Paginated<User>)),
    params(("page[size]" = Option<u32>, Query), ("page[number]" = Option<u32>, Query), ("filter" = Option<String>, Query)))]
pub(super) async fn list(
    State(app): State<App>,
    Admin(admin): Admin,
    Parameters(mut query): Parameters,
) -> Result<Answer<Paginated<User>>> {
    let filter = UserFilter::read(&mut query);
    let (page, filter) = (query.page(), query.finish(filter)?);
    let users = app.store.users(admin.organization, None, &filter, page).await?;
    app.read(admin.organization, users).await
}

/// Shows a user.
#[utoipa::path(get, path = "/users/{userId}", operation_id = "get_user", tag = "Users", responses((status = 200, body = User), (status = 404)),
    params(("userId" = uuid::Uuid, Path)))]
pub(super) async fn get(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Answer<User>> {
    let id = ids.id("userId")?;
    caller.must_be(id)?;
    let user = app.store.user(caller.organization, id).await?;
    app.read(caller.organization, user).await
}

/// Changes a user's names.
#[utoipa::path(patch, path = "/users/{userId}", operation_id = "update_user", tag = "Users", request_body = UpdateUser,
    responses((status = 200, body = User), (status = 400), (status = 404)), params(("userId" = uuid::Uuid, Path)))]
pub(super) async fn update(State(app): State<App>, caller: Caller, ids: Ids, Body(body): Body) -> Result<Answer<User>> {
    let id = ids.id("userId")?;
    caller.must_be(id)?;
    let update = UpdateUser::read(&body)?;
    let mut revision = app.store.revision(caller.organization, caller.author()).await?;
    let mut user = users::get(&mut revision, id).await?;
    let fields = update.apply(&mut user);
    if fields.is_empty() {
        return Ok(app.ok(revision.unchanged().await?, user));
    }
    user.updated_at = revision.at();
    users::update(&mut revision, &user).await?;
    let seen = revision.commit(vec![Change::UserChanged { user: id, fields }]).await?;
    Ok(app.ok(seen, user))
}

/// Erases a user: all that is known of it, its tokens, memberships and roles.
#[utoipa::path(delete, path = "/users/{userId}", operation_id = "delete_user", tag = "Users", responses((status = 204), (status = 404), (status = 409)),
    params(("userId" = uuid::Uuid, Path)))]
pub(super) async fn erase(State(app): State<App>, Admin(admin): Admin, ids: Ids) -> Result<Empty> {
    let id = ids.id("userId")?;
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    users::erase(&mut revision, id).await?;
    administrators::must_remain(&mut revision).await?;
    let seen = revision.commit(vec![Change::UserErased { user: id }]).await?;
    Ok(app.gone(seen))
}
