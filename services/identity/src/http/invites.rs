//! `/invites`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use deserr::Deserr;
use serde::Serialize;
use time::Duration;
use utoipa::{IntoParams, ToSchema};
use writ_contract::UserId;
use writ_contract::identity_event::Change;
use writ_contract::row::TokenKind;
use writ_service::Faults;
use writ_tokens::BearerToken;

use super::auth::Invitee;
use super::input::Creation;
use super::tokens::{CreateToken, IssuedToken, issue};
use super::users::UserResponse;
use super::{Administrator, Reply, Result};
use crate::app::App;
use crate::domain::text::{Email, Name, Text, TokenName};
use crate::domain::token::INVITE_TTL;
use crate::store::callers::{Right, TokenHolder};
use crate::store::invites::Addressee;
use crate::store::tokens::{self, NewToken};
use crate::store::{PendingRevision, invites, users};

const PREFER: &str = "prefer";

/// A person to invite.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct InviteUser {
    /// The person's e-mail address.
    email: Email,
}

/// The acceptance of an invitation.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct AcceptInvite {
    /// The person's first token.
    token: CreateToken,
    /// The full name.
    full_name: Name,
    /// How the person wants to be called.
    #[deserr(default)]
    preferred_name: Option<Text>,
}

/// Whether the answer to an invitation holds it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header that is read by name")]
pub(super) struct InvitePreference {
    /// `return=representation`: the answer holds the invitation.
    #[param(rename = "Prefer", nullable = false)]
    prefer: Option<String>,
}

/// An invitation for the administrator to hand over; Writ sends no mail.
#[derive(Serialize)]
pub(super) struct Invitation {
    /// The user that becomes active once the invitation is accepted.
    user_id: UserId,
    /// The bearer token for `/v3/invites/accept`.
    invite_token: String,
}

/// A new user with a first personal token.
#[derive(Serialize, ToSchema)]
pub(super) struct AcceptedInvite {
    user: UserResponse,
    token: IssuedToken,
}

/// Invites a person.
#[utoipa::path(post, path = "/invites", operation_id = "invite_user", tag = "Invites", params(InvitePreference),
    request_body = InviteUser, responses((status = 201, description = "Invited; with `Prefer: return=representation` the body is JSON with `user_id` \
    and `invite_token`, otherwise it is empty"), (status = 409)))]
pub(super) async fn invite(
    State(app): State<App>,
    Administrator(admin): Administrator,
    headers: HeaderMap,
    Creation { body: person, key }: Creation<InviteUser>,
) -> Result<Response> {
    let mut revision = app.store.revision(&admin.creating(&app, key), Right::Administer).await?;
    let (user_id, mut changes) = expect_user(&mut revision, &person.email).await?;
    let (secret, issued) = issue_invitation(&app, &mut revision, user_id, "Invitation", INVITE_TTL).await?;
    changes.push(issued);
    if !wants_representation(&headers) {
        return Ok(app.create_empty(revision, admin.user, changes).await?.into_response());
    }
    let invitation = Invitation { user_id, invite_token: secret.expose().to_owned() };
    Ok(app.create(revision, admin.user, changes, invitation).await?.into_response())
}

/// Stores the token of an invitation; also returns it for the one answer that shows it.
pub(super) async fn issue_invitation(
    app: &App,
    revision: &mut PendingRevision,
    user: UserId,
    name: &'static str,
    ttl: Duration,
) -> Result<(BearerToken, Change)> {
    let secret = app.new_token(TokenKind::Invite, revision.organization());
    let token = NewToken {
        user,
        kind: TokenKind::Invite,
        name: TokenName::of_ours(name),
        hash: secret.hash(),
        expires_at: revision.now() + ttl,
    };
    let (_, issued) = tokens::insert(revision, token).await?;
    Ok((secret, issued))
}

/// The user to invite: a new one, or an invited one whose earlier invitations are withdrawn.
async fn expect_user(revision: &mut PendingRevision, email: &Email) -> Result<(UserId, Vec<Change>)> {
    match invites::find(revision, email).await? {
        Addressee::New => {
            let user = UserId::generate();
            users::insert_invited(revision, user, email).await?;
            Ok((user, vec![Change::UserInvited { user }]))
        }
        Addressee::Lapsed(user, lapsed) => {
            for token in &lapsed {
                tokens::delete(revision, user, *token).await?;
            }
            Ok((user, lapsed.into_iter().map(|token| Change::TokenRevoked { token }).collect()))
        }
    }
}

/// `Prefer: return=representation` (RFC 7240).
fn wants_representation(headers: &HeaderMap) -> bool {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|preference| preference.trim().eq_ignore_ascii_case("return=representation"))
}

/// Accepts an invitation, whose token is the bearer: the user becomes active and gets a first token.
#[utoipa::path(post, path = "/invites/accept", operation_id = "accept_invite", tag = "Invites",
    request_body = AcceptInvite, responses((status = 201, body = AcceptedInvite), (status = 404)))]
pub(super) async fn accept(
    State(app): State<App>,
    Invitee(invitation): Invitee,
    Creation { body: accept, key }: Creation<AcceptInvite>,
) -> Result<Reply<AcceptedInvite>> {
    let bearer = invitation.creating(&app, key).await?;
    let TokenHolder { user, token: invitation, .. } = bearer.holder;
    let mut revision = app.store.revision(&bearer, Right::ActFor(user)).await?;
    tokens::delete(&mut revision, user, invitation).await?;
    let mut user = users::get(&mut revision, user).await?;
    user.full_name = Some(accept.full_name);
    user.preferred_name = accept.preferred_name;
    (user.active, user.updated_at) = (true, revision.at());
    users::update(&mut revision, &user).await?;
    users::activate(&mut revision, user.id).await?;
    let (token, issued) = issue(&app, &mut revision, user.id, accept.token, "token.expires_at", None).await?;
    let changes = vec![Change::UserActivated { user: user.id }, Change::TokenRevoked { token: invitation }, issued];
    app.create(revision, user.id, changes, AcceptedInvite { user: user.into(), token }).await
}
