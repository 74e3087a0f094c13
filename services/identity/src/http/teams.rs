//! `/teams`

use axum::extract::State;
use writ_contract::identity_event::Change;

use super::{Admin, Answer, Body, Empty, Ids, Parameters, Result};
use crate::app::App;
use crate::domain::page::Paginated;
use crate::domain::team::{CreateTeam, Team, TeamFilter, UpdateTeam};
use crate::store::{administrators, teams};

/// Lists the teams.
#[utoipa::path(get, path = "/teams", operation_id = "list_teams", tag = "Teams", responses((status = 200, body = Paginated<Team>)),
    params(("page[size]" = Option<u32>, Query), ("page[number]" = Option<u32>, Query), ("filter" = Option<String>, Query)))]
pub(super) async fn list(
    State(app): State<App>,
    Admin(admin): Admin,
    Parameters(mut query): Parameters,
) -> Result<Answer<Paginated<Team>>> {
    let filter = TeamFilter::read(&mut query);
    let (page, filter) = (query.page(), query.finish(filter)?);
    let teams = app.store.teams(admin.organization, None, &filter, page).await?;
    app.read(admin.organization, teams).await
}

/// Creates a team.
#[utoipa::path(post, path = "/teams", operation_id = "create_team", tag = "Teams", request_body = CreateTeam,
    responses((status = 201, body = Team), (status = 400)))]
pub(super) async fn create(State(app): State<App>, Admin(admin): Admin, Body(body): Body) -> Result<Answer<Team>> {
    let new = CreateTeam::read(&body)?;
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    let team = teams::insert(&mut revision, new, false).await?;
    let seen = revision.commit(vec![Change::TeamCreated { team: team.id, system: false }]).await?;
    Ok(app.created(seen, team))
}

/// Shows a team.
#[utoipa::path(get, path = "/teams/{teamId}", operation_id = "get_team", tag = "Teams", responses((status = 200, body = Team), (status = 404)),
    params(("teamId" = uuid::Uuid, Path)))]
pub(super) async fn get(State(app): State<App>, Admin(admin): Admin, ids: Ids) -> Result<Answer<Team>> {
    let team = app.store.team(admin.organization, ids.id("teamId")?).await?;
    app.read(admin.organization, team).await
}

/// Changes a team.
#[utoipa::path(patch, path = "/teams/{teamId}", operation_id = "update_team", tag = "Teams", request_body = UpdateTeam,
    responses((status = 200, body = Team), (status = 400), (status = 404)), params(("teamId" = uuid::Uuid, Path)))]
pub(super) async fn update(
    State(app): State<App>,
    Admin(admin): Admin,
    ids: Ids,
    Body(body): Body,
) -> Result<Answer<Team>> {
    let (id, update) = (ids.id("teamId")?, UpdateTeam::read(&body)?);
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    let mut team = teams::get_changeable(&mut revision, id).await?;
    let fields = update.apply(&mut team)?;
    if fields.is_empty() {
        return Ok(app.ok(revision.unchanged().await?, team));
    }
    team.updated_at = revision.at();
    teams::update(&mut revision, &team).await?;
    let seen = revision.commit(vec![Change::TeamChanged { team: id, fields }]).await?;
    Ok(app.ok(seen, team))
}

/// Deletes a team with its memberships and roles.
#[utoipa::path(delete, path = "/teams/{teamId}", operation_id = "delete_team", tag = "Teams", responses((status = 204), (status = 400), (status = 404)),
    params(("teamId" = uuid::Uuid, Path)))]
pub(super) async fn delete(State(app): State<App>, Admin(admin): Admin, ids: Ids) -> Result<Empty> {
    let id = ids.id("teamId")?;
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    teams::get_changeable(&mut revision, id).await?;
    teams::delete(&mut revision, id).await?;
    administrators::must_remain(&mut revision).await?;
    let seen = revision.commit(vec![Change::TeamDeleted { team: id }]).await?;
    Ok(app.gone(seen))
}
