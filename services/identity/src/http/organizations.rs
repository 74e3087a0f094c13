//! `/organizations`, for the platform's operator

use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use writ_contract::identity_event::{Change, MemberKind};

use super::auth::Operator;
use super::{Answer, Body, Empty, Ids, Result, assigned_roles, tokens};
use crate::app::App;
use crate::domain::assignment::Grant;
use crate::domain::organization::{CreateOrganization, CreateOrganizationBody, Organization, UpdateOrganization};
use crate::domain::team::CreateTeam;
use crate::domain::token::IssuedToken;
use crate::domain::user::User;
use crate::store::assignments::{self, Assignee, AssigneeKind};
use crate::store::{Revision, members, organizations, teams, users};

/// A new organization with its owner and the owner's first token.
#[derive(Serialize, ToSchema)]
pub(super) struct Founded {
    organization: Organization,
    owner: User,
    token: IssuedToken,
}

/// Creates an organization with its owner, who administers it, and the owner's first token.
#[utoipa::path(post, path = "/organizations", operation_id = "create_organization", tag = "Organizations", request_body = CreateOrganizationBody,
    responses((status = 201, body = Founded), (status = 400), (status = 403)))]
pub(super) async fn create(State(app): State<App>, operator: Operator, Body(body): Body) -> Result<Answer<Founded>> {
    let new = CreateOrganization::read(&body, OffsetDateTime::now_utc())?;
    let (id, owner) = (Uuid::now_v7(), Uuid::now_v7());
    let mut revision = app.store.founding(id, &new.name, owner, operator.author()).await?;
    let owner = users::insert(&mut revision, owner, new.owner).await?;
    let mut changes = vec![
        Change::OrganizationCreated { owner: owner.id },
        Change::UserInvited { user: owner.id },
        Change::UserActivated { user: owner.id },
    ];
    changes.extend(found_administrators(&mut revision, owner.id).await?);
    let (token, issued) = tokens::issue(&app, &mut revision, owner.id, &new.token).await?;
    changes.push(issued);
    let organization = organizations::get(&mut revision).await?;
    let seen = revision.commit(changes).await?;
    Ok(app.created(seen, Founded { organization, owner, token }))
}

/// The system team of administrators, with its first member.
async fn found_administrators(revision: &mut Revision, owner: Uuid) -> Result<[Change; 3]> {
    let team = teams::insert(revision, CreateTeam::administrators(), true).await?.id;
    let assignment = assignments::insert_administrator(revision, team).await?;
    members::add_user(revision, team, owner).await?;
    let assignee = Assignee { kind: AssigneeKind::Team, id: team };
    Ok([
        Change::TeamCreated { team, system: true },
        assigned_roles::assigned(assignment, assignee, Grant::administrator()),
        Change::MemberAdded { team, member: owner, member_kind: MemberKind::User, valid_from: None, valid_until: None },
    ])
}

/// Shows an organization.
#[utoipa::path(get, path = "/organizations/{organizationId}", operation_id = "get_organization", tag = "Organizations",
    responses((status = 200, body = Organization), (status = 404)), params(("organizationId" = Uuid, Path)))]
pub(super) async fn get(State(app): State<App>, _operator: Operator, ids: Ids) -> Result<Answer<Organization>> {
    let organization = app.store.organization(ids.id("organizationId")?).await?;
    app.read(organization.id, organization).await
}

/// Suspends an organization (`inactive`) or makes it active again.
#[utoipa::path(patch, path = "/organizations/{organizationId}", operation_id = "update_organization", tag = "Organizations", request_body = UpdateOrganization,
    responses((status = 200, body = Organization), (status = 400), (status = 404)), params(("organizationId" = Uuid, Path)))]
pub(super) async fn update(
    State(app): State<App>,
    operator: Operator,
    ids: Ids,
    Body(body): Body,
) -> Result<Answer<Organization>> {
    let (id, update) = (ids.id("organizationId")?, UpdateOrganization::read(&body)?);
    let id = app.store.organization(id).await?.id;
    let mut revision = app.store.revision_in_any_state(id, operator.author()).await?;
    let changed = organizations::set_state(&mut revision, update.state).await?;
    let organization = organizations::get(&mut revision).await?;
    let seen = match changed {
        true => revision.commit(vec![Change::OrganizationStateChanged { state: update.state }]).await?,
        false => revision.unchanged().await?,
    };
    Ok(app.ok(seen, organization))
}

/// Deletes an organization for ever, with all it holds.
#[utoipa::path(delete, path = "/organizations/{organizationId}", operation_id = "delete_organization", tag = "Organizations",
    responses((status = 204), (status = 404)), params(("organizationId" = Uuid, Path)))]
pub(super) async fn delete(State(app): State<App>, operator: Operator, ids: Ids) -> Result<Empty> {
    let id = app.store.organization(ids.id("organizationId")?).await?.id;
    let mut revision = app.store.revision_in_any_state(id, operator.author()).await?;
    organizations::erase(&mut revision).await?;
    let seen = revision.commit(vec![Change::OrganizationDeleted {}]).await?;
    Ok(app.gone(seen))
}
