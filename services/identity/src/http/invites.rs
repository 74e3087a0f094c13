//! `/invites`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use writ_contract::identity_event::{Change, TokenKind};
use writ_tokens::Kind;

use super::auth::Invitee;
use super::{Admin, Answer, Body, Result, tokens as personal_tokens};
use crate::app::App;
use crate::domain::invite::{AcceptInvite, AcceptInviteBody, INVITE_TTL, InviteUser};
use crate::domain::token::IssuedToken;
use crate::domain::user::User;
use crate::store::invites::Invitee as Known;
use crate::store::tokens::{self, NewToken};
use crate::store::{Revision, invites, users};

/// An invitation for the administrator to hand over; Writ sends no mail.
#[derive(Serialize, ToSchema)]
pub(super) struct Invitation {
    /// The user that will be active once the invitation is accepted.
    user_id: Uuid,
    /// The bearer token for `/v3/invites/accept`.
    invite_token: String,
}

/// A new user with a first personal token.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    user: User,
    token: IssuedToken,
}

/// Invites a person. With `Prefer: return=representation` the answer holds the invitation.
#[utoipa::path(post, path = "/invites", operation_id = "invite_user", tag = "Invites", request_body = InviteUser,
    responses((status = 201, body = Option<Invitation>), (status = 400), (status = 409)))]
pub(super) async fn invite(
    State(app): State<App>,
    Admin(admin): Admin,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response> {
    let person = InviteUser::read(&body)?;
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    let (user_id, mut changes) = expect_user(&mut revision, &person.email).await?;
    let secret = app.new_token(Kind::Invite, admin.organization);
    let expires_at = revision.at() + INVITE_TTL;
    let token =
        NewToken { principal: user_id, kind: TokenKind::Invite, name: "Invitation", hash: secret.hash(), expires_at };
    let (_, issued) = tokens::insert(&mut revision, token).await?;
    changes.push(issued);
    let seen = revision.commit(changes).await?;
    if !wants_representation(&headers) {
        return Ok(app.created_empty(seen).into_response());
    }
    let invitation = Invitation { user_id, invite_token: secret.expose().to_owned() };
    Ok(app.created(seen, invitation).into_response())
}

/// The user to be invited, new or with the earlier invitations taken back.
async fn expect_user(revision: &mut Revision, email: &str) -> Result<(Uuid, Vec<Change>)> {
    match invites::find(revision, email).await? {
        Known::New => {
            let user = Uuid::now_v7();
            users::insert_invited(revision, user, email).await?;
            Ok((user, vec![Change::UserInvited { user }]))
        }
        Known::Lapsed(user, lapsed) => {
            for token in &lapsed {
                tokens::delete(revision, user, *token).await?;
            }
            Ok((user, lapsed.into_iter().map(|token| Change::TokenRevoked { token }).collect()))
        }
    }
}

/// `Prefer: return=representation` (RFC 7240).
fn wants_representation(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|preference| preference.trim().eq_ignore_ascii_case("return=representation"))
}

/// Accepts an invitation, whose token is the bearer: the user is active and has a first token.
#[utoipa::path(post, path = "/invites/accept", operation_id = "accept_invite", tag = "Invites", request_body = AcceptInviteBody,
    responses((status = 201, body = Accepted), (status = 400), (status = 401)))]
pub(super) async fn accept(State(app): State<App>, invitee: Invitee, Body(body): Body) -> Result<Answer<Accepted>> {
    let accept = AcceptInvite::read(&body, OffsetDateTime::now_utc())?;
    let mut revision = app.store.revision(invitee.organization, invitee.author()).await?;
    // Fails when somebody else has accepted meanwhile.
    tokens::delete(&mut revision, invitee.user, invitee.token).await?;
    let mut user = users::get(&mut revision, invitee.user).await?;
    user.full_name = Some(accept.full_name);
    user.preferred_name = accept.preferred_name;
    (user.active, user.updated_at) = (true, revision.at());
    users::update(&mut revision, &user).await?;
    users::activate(&mut revision, user.id).await?;
    let (token, issued) = personal_tokens::issue(&app, &mut revision, user.id, &accept.token).await?;
    let changes = vec![Change::UserActivated { user: user.id }, Change::TokenRevoked { token: invitee.token }, issued];
    let seen = revision.commit(changes).await?;
    Ok(app.created(seen, Accepted { user, token }))
}
