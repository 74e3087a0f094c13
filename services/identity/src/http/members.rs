//! `/teams/{teamId}/users` and `/users/{userId}/teams`

use axum::extract::State;
use deserr::Deserr;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use writ_contract::identity_event::Change;
use writ_contract::{TeamId, UserId};
use writ_service::{Faults, ListQuery, Path};

use super::input::{Creation, read_id};
use super::teams::{TeamPath, TeamQuery, TeamResponse};
use super::users::{UserPath, UserQuery, UserResponse};
use super::{Administrator, Caller, EmptyReply, Paginated, Reply, Result};
use crate::app::App;
use crate::domain::Violation;
use crate::store::callers::Right;
use crate::store::{administrators, members};

/// A user of a team in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct TeamUserPath {
    /// The team.
    team_id: TeamId,
    /// The user.
    user_id: UserId,
}

/// A user to add to a team.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct AddMember {
    /// The user.
    #[deserr(try_from(String) = read_id -> Violation)]
    id: UserId,
}

/// Lists the users of a team.
#[utoipa::path(get, path = "/teams/{teamId}/users", operation_id = "list_team_users", tag = "Team Membership",
    params(TeamPath, UserQuery), responses((status = 200, body = Paginated<UserResponse>), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamPath>,
    ListQuery(query): ListQuery<UserQuery>,
) -> Result<Reply<Paginated<UserResponse>>> {
    let (filter, page) = query.split();
    let team = app.store.team(admin.organization, path.team_id).await?;
    let users = app.store.users(admin.organization, Some(team.id), &filter, page).await?;
    app.show(admin.organization, users.into()).await
}

/// Adds a user to a team.
#[utoipa::path(post, path = "/teams/{teamId}/users", operation_id = "add_user_to_team", tag = "Team Membership",
    params(TeamPath), request_body = AddMember, responses((status = 201), (status = 404), (status = 409)))]
pub(super) async fn add(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamPath>,
    Creation { body: new, key }: Creation<AddMember>,
) -> Result<EmptyReply> {
    let mut revision = app.store.revision(&admin.creating(&app, key), Right::Administer).await?;
    let added = members::add_user(&mut revision, path.team_id, new.id).await?;
    app.create_empty(revision, admin.user, vec![added]).await
}

/// Removes a user from a team.
#[utoipa::path(delete, path = "/teams/{teamId}/users/{userId}", operation_id = "remove_user_from_team",
    tag = "Team Membership", params(TeamUserPath), responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn remove(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamUserPath>,
) -> Result<EmptyReply> {
    let mut revision = app.store.revision(&admin.bearer, Right::Administer).await?;
    members::remove_user(&mut revision, path.team_id, path.user_id).await?;
    administrators::must_remain(&mut revision).await?;
    let removed = Change::MemberRemoved { team: path.team_id, member: path.user_id.into() };
    let seen = revision.commit(vec![removed]).await?;
    Ok(app.no_content(seen))
}

/// Lists the teams a user is in.
///
/// Labels are filtered by `filter[labels][<key>][eq]`, `filter[labels][<key>][contains]` and
/// `filter[labels][<key>][exists]`.
#[utoipa::path(get, path = "/users/{userId}/teams", operation_id = "list_user_teams", tag = "Team Membership",
    params(UserPath, TeamQuery), responses((status = 200, body = Paginated<TeamResponse>), (status = 404)))]
pub(super) async fn teams(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserPath>,
    ListQuery(query): ListQuery<TeamQuery>,
) -> Result<Reply<Paginated<TeamResponse>>> {
    caller.must_be(path.user_id)?;
    let (filter, page) = query.split();
    let user = app.store.user(caller.organization, path.user_id).await?;
    let teams = app.store.teams(caller.organization, Some(user.id), &filter, page).await?;
    app.show(caller.organization, teams.into()).await
}
