//! `/organizations`, for the platform's operator

use axum::extract::State;
use deserr::Deserr;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use writ_contract::identity_event::Change;
use writ_contract::row::OrganizationState;
use writ_contract::{OrganizationId, UserId};
use writ_service::{Faults, Json, Path};

use super::auth::Operator;
use super::input::Creation;
use super::tokens::{CreateToken, IssuedToken, issue};
use super::users::UserResponse;
use super::{EmptyReply, Reply, Result};
use crate::app::App;
use crate::domain::organization::Organization;
use crate::domain::team::Team;
use crate::domain::text::{Email, Name, Text};
use crate::domain::user::User;
use crate::store::{PendingRevision, assignments, members, organizations, teams, users};

/// Days a deleted organization's data is kept: none, its erasure begins at once.
const RETENTION_PERIOD_DAYS: u32 = 0;

/// An organization in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganizationPath {
    /// The organization.
    pub(super) organization_id: OrganizationId,
}

/// A new organization with its owner and the owner's first token.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct CreateOrganization {
    /// Display name.
    name: Name,
    /// Its first user and administrator.
    owner: CreateOwner,
    /// The owner's first token.
    #[deserr(default)]
    token: Option<CreateToken>,
}

/// The first user of a new organization.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct CreateOwner {
    /// E-mail address.
    email: Email,
    /// The full name.
    full_name: Name,
    /// How the person wants to be called.
    #[deserr(default)]
    preferred_name: Option<Text>,
}

impl CreateOwner {
    fn into_user(self, id: UserId, at: OffsetDateTime) -> User {
        User {
            id,
            email: self.email,
            full_name: Some(self.full_name),
            preferred_name: self.preferred_name,
            active: true,
            inferred_region: None,
            created_at: at,
            updated_at: at,
        }
    }
}

/// A change of an organization's state.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct UpdateOrganization {
    /// The new state.
    state: Activity,
}

/// Whether an organization's tokens are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserr, Serialize, ToSchema)]
#[deserr(error = Faults, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
enum Activity {
    /// They are.
    Active,
    /// The organization is suspended.
    Inactive,
}

impl From<OrganizationState> for Activity {
    fn from(state: OrganizationState) -> Self {
        if state == OrganizationState::Active { Self::Active } else { Self::Inactive }
    }
}

impl From<Activity> for OrganizationState {
    fn from(activity: Activity) -> Self {
        match activity {
            Activity::Active => Self::Active,
            Activity::Inactive => Self::Suspended,
        }
    }
}

/// An organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Organization)]
pub(super) struct OrganizationResponse {
    /// Never reused once the organization is deleted.
    id: OrganizationId,
    /// Display name.
    name: String,
    /// The user it was created for, unless erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<UserId>,
    /// Blank: there is no single sign-on yet.
    login_path: String,
    /// Whether its tokens are valid.
    state: Activity,
    /// Days a deleted organization's data is kept.
    retention_period_days: u32,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Organization> for OrganizationResponse {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name.into(),
            owner_id: organization.owner_id,
            login_path: String::new(),
            state: organization.state.into(),
            retention_period_days: RETENTION_PERIOD_DAYS,
            created_at: organization.created_at,
            updated_at: organization.updated_at,
        }
    }
}

/// A new organization with its owner and the owner's first token.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundedOrganization {
    organization: OrganizationResponse,
    owner: UserResponse,
    token: IssuedToken,
}

/// Creates an organization with its owner, who administers it, and the owner's first token.
#[utoipa::path(post, path = "/organizations", operation_id = "create_organization", tag = "Organizations",
    request_body = CreateOrganization, responses((status = 201, body = FoundedOrganization)))]
pub(super) async fn create(
    State(app): State<App>,
    operator: Operator,
    Creation { body: new, key }: Creation<CreateOrganization>,
) -> Result<Reply<FoundedOrganization>> {
    let (id, owner_id) = (OrganizationId::generate(app.store.region()), UserId::generate());
    let mut revision = app.store.founding(id, &new.name, owner_id, operator.creating(&app, key)).await?;
    let owner = new.owner.into_user(owner_id, revision.at());
    users::insert(&mut revision, &owner).await?;
    let mut changes = vec![
        Change::OrganizationCreated { owner: owner.id },
        Change::UserInvited { user: owner.id },
        Change::UserActivated { user: owner.id },
    ];
    changes.extend(found_administrators(&mut revision, owner.id).await?);
    let token = new.token.unwrap_or_else(CreateToken::first);
    let (token, issued) = issue(&app, &mut revision, owner.id, token, "token.expires_at", None).await?;
    changes.push(issued);
    let organization = organizations::get(&mut revision).await?.into();
    app.create(revision, owner_id, changes, FoundedOrganization { organization, owner: owner.into(), token }).await
}

/// The system team of administrators, with its first member.
async fn found_administrators(revision: &mut PendingRevision, owner: UserId) -> Result<[Change; 3]> {
    let team = Team::administrators(revision.at());
    teams::insert(revision, &team).await?;
    let assigned = assignments::insert_administrator(revision, team.id).await?;
    let joined = members::add_user(revision, team.id, owner).await?;
    Ok([Change::TeamCreated { team: team.id, system: true }, assigned, joined])
}

/// Shows an organization.
#[utoipa::path(get, path = "/organizations/{organizationId}", operation_id = "get_organization", tag = "Organizations",
    params(OrganizationPath), responses((status = 200, body = OrganizationResponse), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    _operator: Operator,
    Path(path): Path<OrganizationPath>,
) -> Result<Reply<OrganizationResponse>> {
    let organization = app.store.organization(path.organization_id).await?;
    app.show(organization.id, organization.into()).await
}

/// Suspends an organization (`inactive`) or makes it active again.
#[utoipa::path(patch, path = "/organizations/{organizationId}", operation_id = "update_organization",
    tag = "Organizations", params(OrganizationPath), request_body = UpdateOrganization,
    responses((status = 200, body = OrganizationResponse), (status = 404)))]
pub(super) async fn update(
    State(app): State<App>,
    operator: Operator,
    Path(path): Path<OrganizationPath>,
    Json(update): Json<UpdateOrganization>,
) -> Result<Reply<OrganizationResponse>> {
    let state = update.state.into();
    let id = app.store.organization(path.organization_id).await?.id;
    let mut revision = app.store.revision_in_any_state(id, operator.author()).await?;
    let changed = organizations::set_state(&mut revision, state).await?;
    let organization = organizations::get(&mut revision).await?.into();
    let seen = match changed {
        true => revision.commit(vec![Change::OrganizationStateChanged { state }]).await?,
        false => revision.unchanged().await?,
    };
    Ok(app.ok(seen, organization))
}

/// Deletes an organization and everything in it. This is final.
#[utoipa::path(delete, path = "/organizations/{organizationId}", operation_id = "delete_organization",
    tag = "Organizations", params(OrganizationPath), responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    operator: Operator,
    Path(path): Path<OrganizationPath>,
) -> Result<EmptyReply> {
    let id = app.store.organization(path.organization_id).await?.id;
    let mut revision = app.store.revision_in_any_state(id, operator.author()).await?;
    organizations::delete(&mut revision).await?;
    let seen = revision.commit(vec![Change::OrganizationDeleted {}]).await?;
    Ok(app.no_content(seen))
}

#[cfg(test)]
mod tests {
    use deserr::deserialize;
    use serde_json::{Value, json};

    use super::*;

    fn refused<T: Deserr<Faults> + std::fmt::Debug>(body: Value) -> Vec<String> {
        let faults = deserialize::<T, _, Faults>(body).unwrap_err();
        faults.iter().map(|(field, ..)| field).collect()
    }

    #[test]
    fn an_organization_needs_a_name_and_an_owner() {
        assert_eq!(refused::<CreateOrganization>(json!({})), ["name", "owner"]);
        assert_eq!(refused::<CreateOrganization>(json!({"name": "Acme", "owner": 5})), ["owner"]);
        let empty_owner = json!({"name": "Acme", "owner": {}});
        assert_eq!(refused::<CreateOrganization>(empty_owner), ["owner.email", "owner.full_name"]);
        let body = json!({"name": "Acme", "owner": {"email": "ada@acme.example", "full_name": "Ada"}});
        assert_eq!(deserialize::<CreateOrganization, _, Faults>(body).unwrap().token, None);
    }

    #[test]
    fn only_two_states_can_be_asked_for() {
        let inactive = deserialize::<UpdateOrganization, _, Faults>(json!({"state": "inactive"})).unwrap();
        assert_eq!(inactive.state, Activity::Inactive);
        for body in [json!({"state": "deleted"}), json!({}), json!({"state": ""}), json!({"state": 1})] {
            assert_eq!(refused::<UpdateOrganization>(body), ["state"]);
        }
    }
}
