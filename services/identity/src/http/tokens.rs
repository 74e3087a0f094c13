//! `/users/{userId}/access-tokens`

mod create;

use axum::extract::State;
use deserr::Deserr;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use writ_contract::identity_event::Change;
use writ_contract::{StoredText, TokenId, UserId};
use writ_service::{Faults, Json, Path};

pub(super) use create::{CreateToken, TOKEN_EXPIRY, issue};

use super::input::Creation;
use super::list::PageMeta;
use super::users::UserPath;
use super::{Caller, EmptyReply, Reply, Result};
use crate::app::App;
use crate::domain::text::TokenName;
use crate::domain::token::{PersonalToken, TokenState};
use crate::store::callers::Right;
use crate::store::{administrators, tokens};

/// A token of a user in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserTokenPath {
    /// The user.
    user_id: UserId,
    /// The token.
    token_id: TokenId,
}

/// A personal access token.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PersonalToken)]
pub(super) struct TokenResponse {
    /// Id of the token; not a secret.
    id: TokenId,
    /// The user it belongs to.
    user_id: UserId,
    /// What its user calls it.
    name: String,
    /// Whether it can be used.
    state: TokenStateName,
    /// Who revoked it.
    revoked_by: Option<UserId>,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    /// When it was last used for the management API, at most an hour ahead of what is shown; null if never. Uses for
    /// the read API are not recorded yet.
    #[serde(with = "time::serde::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    /// When it expires.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// When it was revoked.
    #[serde(with = "time::serde::rfc3339::option")]
    revoked_at: Option<OffsetDateTime>,
}

/// Whether a token can be used.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = TokenState)]
enum TokenStateName {
    /// It can.
    Active,
    /// Someone has revoked it.
    Revoked,
    /// It has expired.
    Expired,
}

impl TokenResponse {
    /// The token as it is at `now`.
    fn at(token: PersonalToken, now: OffsetDateTime) -> Self {
        let state = match token.state(now) {
            TokenState::Active => TokenStateName::Active,
            TokenState::Revoked => TokenStateName::Revoked,
            TokenState::Expired => TokenStateName::Expired,
        };
        Self {
            id: token.id,
            user_id: token.user,
            name: token.name.into(),
            state,
            revoked_by: token.revoked_by,
            created_at: token.created_at,
            updated_at: token.updated_at,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }

    fn now(token: PersonalToken) -> Self {
        Self::at(token, OffsetDateTime::now_utc())
    }
}

/// A new token with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedToken {
    /// The token.
    #[serde(flatten)]
    token: TokenResponse,
    /// The secret itself.
    konnect_token: String,
}

/// The tokens of a user.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenList {
    /// About the list.
    meta: PageMeta,
    /// All of them, oldest first.
    data: Vec<TokenResponse>,
}

/// A change of a token.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct UpdateToken {
    /// What its user calls it.
    name: TokenName,
}

/// Lists the tokens of a user.
#[utoipa::path(get, path = "/users/{userId}/access-tokens", operation_id = "list_tokens", tag = "Personal Access Tokens",
    params(UserPath), responses((status = 200, body = TokenList), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserPath>,
) -> Result<Reply<TokenList>> {
    caller.must_be(path.user_id)?;
    let user = app.store.user(caller.organization, path.user_id).await?;
    let (tokens, now) = (app.store.tokens(caller.organization, user.id).await?, OffsetDateTime::now_utc());
    let list = TokenList {
        meta: PageMeta::whole(tokens.len()),
        data: tokens.into_iter().map(|token| TokenResponse::at(token, now)).collect(),
    };
    app.show(caller.organization, list).await
}

/// Issues a token to the calling user. Its secret is shown this once. It expires with the token that issues it, if not
/// before, unless an administrator says `may_outlive_issuer`.
#[utoipa::path(post, path = "/users/{userId}/access-tokens", operation_id = "create_token",
    tag = "Personal Access Tokens", params(UserPath), request_body = CreateToken,
    responses((status = 201, body = IssuedToken), (status = 404), (status = 409)))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Creation { body: new, key }: Creation<CreateToken>,
) -> Result<Reply<IssuedToken>> {
    caller.must_be(path.user_id)?;
    let user = app.store.user(caller.organization, path.user_id).await?;
    caller.must_be_owner(user.id)?;
    let mut revision = app.store.revision(&caller.creating(&app, key), Right::ActFor(path.user_id)).await?;
    tokens::must_have_room(&mut revision, user.id).await?;
    let limit = revision.holder().map_or(Ok(None), |holder| new.limit(holder))?;
    let (token, issued) = issue(&app, &mut revision, user.id, new, "expires_at", limit).await?;
    app.create(revision, user.id, vec![issued], token).await
}

/// Shows a token.
#[utoipa::path(get, path = "/users/{userId}/access-tokens/{tokenId}", operation_id = "get_token",
    tag = "Personal Access Tokens", params(UserTokenPath), responses((status = 200, body = TokenResponse), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserTokenPath>,
) -> Result<Reply<TokenResponse>> {
    caller.must_be(path.user_id)?;
    let token = app.store.token(caller.organization, path.user_id, path.token_id).await?;
    app.show(caller.organization, TokenResponse::now(token)).await
}

/// Renames a token of the calling user.
#[utoipa::path(patch, path = "/users/{userId}/access-tokens/{tokenId}", operation_id = "update_token",
    tag = "Personal Access Tokens", params(UserTokenPath), request_body = UpdateToken,
    responses((status = 200, body = TokenResponse), (status = 404)))]
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserTokenPath>,
    Json(update): Json<UpdateToken>,
) -> Result<Reply<TokenResponse>> {
    caller.must_be(path.user_id)?;
    let mut revision = app.store.revision(&caller.bearer, Right::ActFor(path.user_id)).await?;
    let mut token = tokens::get(&mut revision, path.user_id, path.token_id).await?;
    caller.must_be_owner(path.user_id)?;
    if token.name == update.name {
        return Ok(app.ok(revision.unchanged().await?, TokenResponse::now(token)));
    }
    (token.name, token.updated_at) = (update.name, revision.at());
    tokens::update(&mut revision, &token).await?;
    let renamed = Change::TokenChanged { token: token.id, fields: vec![StoredText::lossy("name")] };
    let seen = revision.commit(vec![renamed]).await?;
    Ok(app.ok(seen, TokenResponse::now(token)))
}

/// Revokes a token; it stays in the list until a week after it would have expired. The last valid token of an
/// organization's administrators cannot be revoked.
#[utoipa::path(patch, path = "/users/{userId}/access-tokens/{tokenId}/revoke", operation_id = "revoke_token",
    tag = "Personal Access Tokens", params(UserTokenPath),
    responses((status = 200, body = TokenResponse), (status = 404), (status = 409)))]
pub(super) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserTokenPath>,
) -> Result<Reply<TokenResponse>> {
    caller.must_be(path.user_id)?;
    let mut revision = app.store.revision(&caller.bearer, Right::ActFor(path.user_id)).await?;
    let mut token = tokens::get(&mut revision, path.user_id, path.token_id).await?;
    if token.revoked_at.is_some() {
        return Ok(app.ok(revision.unchanged().await?, TokenResponse::now(token)));
    }
    token.updated_at = revision.at();
    (token.revoked_at, token.revoked_by) = (Some(revision.at()), Some(caller.user));
    tokens::update(&mut revision, &token).await?;
    administrators::must_keep_a_token(&mut revision, path.user_id).await?;
    let seen = revision.commit(vec![Change::TokenRevoked { token: token.id }]).await?;
    Ok(app.ok(seen, TokenResponse::now(token)))
}

/// Deletes a token, which revokes it. The last valid token of an organization's administrators cannot be deleted.
#[utoipa::path(delete, path = "/users/{userId}/access-tokens/{tokenId}", operation_id = "delete_token",
    tag = "Personal Access Tokens", params(UserTokenPath), responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserTokenPath>,
) -> Result<EmptyReply> {
    caller.must_be(path.user_id)?;
    let mut revision = app.store.revision(&caller.bearer, Right::ActFor(path.user_id)).await?;
    tokens::get(&mut revision, path.user_id, path.token_id).await?;
    tokens::delete(&mut revision, path.user_id, path.token_id).await?;
    administrators::must_keep_a_token(&mut revision, path.user_id).await?;
    let seen = revision.commit(vec![Change::TokenRevoked { token: path.token_id }]).await?;
    Ok(app.no_content(seen))
}
