//! Recovery invitations: `/users/{userId}/recovery-invitations`, `/organizations/{organizationId}/recovery-invitations`
//! and `/recovery-invitations/accept`

use axum::extract::State;
use deserr::Deserr;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use writ_contract::UserId;
use writ_contract::identity_event::Change;
use writ_contract::row::OrganizationState;
use writ_service::{Faults, Path};

use super::auth::{Operator, Recovering};
use super::input::{Creation, read_id};
use super::invites::issue_invitation;
use super::organizations::OrganizationPath;
use super::tokens::{CreateToken, IssuedToken, issue};
use super::users::{UserPath, UserResponse};
use super::{Administrator, Reply, Result};
use crate::app::App;
use crate::domain::Violation;
use crate::domain::token::RECOVERY_TTL;
use crate::error::IdentityError;
use crate::store::callers::{Right, TokenHolder};
use crate::store::recovery::{self, Recoverable};
use crate::store::{PendingRevision, tokens, users};

/// The administrator who is to come in again.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct RecoverAdministrator {
    /// An active user who is an administrator.
    #[deserr(try_from(String) = read_id -> Violation)]
    user_id: UserId,
}

/// The acceptance of a recovery invitation.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct AcceptRecovery {
    /// The person's new token.
    token: CreateToken,
}

/// A recovery invitation to hand over; Writ sends no mail.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryInvitation {
    /// The user who gets a new token.
    user_id: UserId,
    /// The bearer token for `/v3/recovery-invitations/accept`.
    invite_token: String,
    /// Until when it can be accepted.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// A user with a new personal token.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveredUser {
    user: UserResponse,
    token: IssuedToken,
}

/// Invites an active user, whose tokens may all be over, to get a new one. Earlier recovery invitations of the user are
/// withdrawn.
#[utoipa::path(post, path = "/users/{userId}/recovery-invitations", operation_id = "recover_user", tag = "Recovery",
    params(UserPath), responses((status = 201, body = RecoveryInvitation), (status = 404), (status = 409)))]
pub(super) async fn recover_user(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<UserPath>,
) -> Result<Reply<RecoveryInvitation>> {
    let mut revision = app.store.revision(&admin.bearer, Right::Administer).await?;
    let user = recovery::find(&mut revision, path.user_id).await?;
    invite(&app, revision, path.user_id, user).await
}

/// Invites an administrator of an organization to get a new token, for an organization whose administrators have none
/// left. Earlier recovery invitations of the user are withdrawn.
#[utoipa::path(post, path = "/organizations/{organizationId}/recovery-invitations", operation_id = "recover_administrator",
    tag = "Recovery", params(OrganizationPath), request_body = RecoverAdministrator,
    responses((status = 201, body = RecoveryInvitation), (status = 404), (status = 409)))]
pub(super) async fn recover_administrator(
    State(app): State<App>,
    operator: Operator,
    Path(path): Path<OrganizationPath>,
    Creation { body: recover, key }: Creation<RecoverAdministrator>,
) -> Result<Reply<RecoveryInvitation>> {
    let id = app.store.organization(path.organization_id).await?.id;
    let mut revision = app.store.revision_in_any_state(id, operator.creating(&app, key)).await?;
    if revision.state() != OrganizationState::Active {
        return Err(IdentityError::Conflict("The organization is suspended"));
    }
    let user = recovery::find(&mut revision, recover.user_id).await?;
    if !user.administrator {
        return Err(IdentityError::Conflict("The user is not an administrator of the organization"));
    }
    invite(&app, revision, recover.user_id, user).await
}

async fn invite(
    app: &App,
    mut revision: PendingRevision,
    user_id: UserId,
    user: Recoverable,
) -> Result<Reply<RecoveryInvitation>> {
    let mut changes = Vec::with_capacity(user.earlier.len() + 1);
    for token in user.earlier {
        tokens::delete(&mut revision, user_id, token).await?;
        changes.push(Change::TokenRevoked { token });
    }
    let expires_at = revision.now() + RECOVERY_TTL;
    let (secret, issued) = issue_invitation(app, &mut revision, user_id, "Recovery", RECOVERY_TTL).await?;
    changes.push(issued);
    let invitation = RecoveryInvitation { user_id, invite_token: secret.expose().to_owned(), expires_at };
    app.create(revision, user_id, changes, invitation).await
}

/// Accepts a recovery invitation, whose token is the bearer: the user gets a new personal token.
#[utoipa::path(post, path = "/recovery-invitations/accept", operation_id = "accept_recovery", tag = "Recovery",
    request_body = AcceptRecovery, responses((status = 201, body = RecoveredUser), (status = 404)))]
pub(super) async fn accept(
    State(app): State<App>,
    Recovering(invitation): Recovering,
    Creation { body: accept, key }: Creation<AcceptRecovery>,
) -> Result<Reply<RecoveredUser>> {
    let bearer = invitation.creating(&app, key).await?;
    let TokenHolder { user, token: invitation, .. } = bearer.holder;
    let mut revision = app.store.revision(&bearer, Right::ActFor(user)).await?;
    tokens::delete(&mut revision, user, invitation).await?;
    let user = users::get(&mut revision, user).await?;
    let (token, issued) = issue(&app, &mut revision, user.id, accept.token, "token.expires_at", None).await?;
    let changes = vec![Change::TokenRevoked { token: invitation }, issued];
    app.create(revision, user.id, changes, RecoveredUser { user: user.into(), token }).await
}
