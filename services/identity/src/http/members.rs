//! `/teams/{teamId}/users` and `/users/{userId}/teams`

use axum::extract::State;
use writ_contract::identity_event::{Change, MemberKind};

use super::{Admin, Answer, Body, Caller, Empty, Ids, Parameters, Result};
use crate::app::App;
use crate::domain::page::Paginated;
use crate::domain::team::{AddMember, Team, TeamFilter};
use crate::domain::user::{User, UserFilter};
use crate::store::{administrators, members};

/// Lists the users of a team.
#[utoipa::path(get, path = "/teams/{teamId}/users", operation_id = "list_team_users", tag = "Team Membership",
    responses((status = 200, body = Paginated<User>), (status = 404)), params(("teamId" = uuid::Uuid, Path),
    ("page[size]" = Option<u32>, Query), ("page[number]" = Option<u32>, Query), ("filter" = Option<String>, Query)))]
pub(super) async fn list(
    State(app): State<App>,
    Admin(admin): Admin,
    ids: Ids,
    Parameters(mut query): Parameters,
) -> Result<Answer<Paginated<User>>> {
    let filter = UserFilter::read(&mut query);
    let (page, filter) = (query.page(), query.finish(filter)?);
    let team = app.store.team(admin.organization, ids.id("teamId")?).await?;
    let users = app.store.users(admin.organization, Some(team.id), &filter, page).await?;
    app.read(admin.organization, users).await
}

/// Puts a user into a team.
#[utoipa::path(post, path = "/teams/{teamId}/users", operation_id = "add_user_to_team", tag = "Team Membership", request_body = AddMember,
    responses((status = 201), (status = 400), (status = 404), (status = 409)), params(("teamId" = uuid::Uuid, Path)))]
pub(super) async fn add(State(app): State<App>, Admin(admin): Admin, ids: Ids, Body(body): Body) -> Result<Empty> {
    let (team, member) = (ids.id("teamId")?, AddMember::read(&body)?.id);
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    members::add_user(&mut revision, team, member).await?;
    let added =
        Change::MemberAdded { team, member, member_kind: MemberKind::User, valid_from: None, valid_until: None };
    let seen = revision.commit(vec![added]).await?;
    Ok(app.created_empty(seen))
}

/// Takes a user out of a team.
#[utoipa::path(delete, path = "/teams/{teamId}/users/{userId}", operation_id = "remove_user_from_team", tag = "Team Membership",
    responses((status = 204), (status = 404), (status = 409)), params(("teamId" = uuid::Uuid, Path), ("userId" = uuid::Uuid, Path)))]
pub(super) async fn remove(State(app): State<App>, Admin(admin): Admin, ids: Ids) -> Result<Empty> {
    let (team, member) = (ids.id("teamId")?, ids.id("userId")?);
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    members::remove_user(&mut revision, team, member).await?;
    administrators::must_remain(&mut revision).await?;
    let seen = revision.commit(vec![Change::MemberRemoved { team, member }]).await?;
    Ok(app.gone(seen))
}

/// Lists the teams a user is in.
#[utoipa::path(get, path = "/users/{userId}/teams", operation_id = "list_user_teams", tag = "Team Membership",
    responses((status = 200, body = Paginated<Team>), (status = 404)), params(("userId" = uuid::Uuid, Path),
    ("page[size]" = Option<u32>, Query), ("page[number]" = Option<u32>, Query), ("filter" = Option<String>, Query)))]
pub(super) async fn teams(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Parameters(mut query): Parameters,
) -> Result<Answer<Paginated<Team>>> {
    let id = ids.id("userId")?;
    caller.must_be(id)?;
    let filter = TeamFilter::read(&mut query);
    let (page, filter) = (query.page(), query.finish(filter)?);
    let user = app.store.user(caller.organization, id).await?;
    let teams = app.store.teams(caller.organization, Some(user.id), &filter, page).await?;
    app.read(caller.organization, teams).await
}
