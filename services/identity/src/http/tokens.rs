//! `/users/{userId}/access-tokens`

use axum::extract::State;
use time::OffsetDateTime;
use writ_contract::identity_event::{Change, TokenKind};
use writ_tokens::Kind;

use super::{Answer, Body, Caller, Empty, Ids, Result};
use crate::app::App;
use crate::domain::page::PageMeta;
use crate::domain::token::{CreateToken, CreateTokenBody, IssuedToken, PersonalToken, TokenList, UpdateToken};
use crate::store::Revision;
use crate::store::tokens::{self, NewToken};

/// Lists the tokens of a user.
#[utoipa::path(get, path = "/users/{userId}/access-tokens", operation_id = "list_tokens", tag = "Personal Access Tokens",
    responses((status = 200, body = TokenList), (status = 404)), params(("userId" = uuid::Uuid, Path)))]
pub(super) async fn list(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Answer<TokenList>> {
    let id = ids.id("userId")?;
    caller.must_be(id)?;
    let user = app.store.user(caller.organization, id).await?;
    let (rows, now) = (app.store.tokens(caller.organization, user.id).await?, OffsetDateTime::now_utc());
    let list = TokenList {
        meta: PageMeta::whole(rows.len()),
        data: rows.into_iter().map(|row| PersonalToken::at(row, now)).collect(),
    };
    app.read(caller.organization, list).await
}

/// Issues a token to the user who asks. Its text is shown this once.
#[utoipa::path(post, path = "/users/{userId}/access-tokens", operation_id = "create_token", tag = "Personal Access Tokens",
    request_body = CreateTokenBody, responses((status = 201, body = IssuedToken), (status = 400), (status = 403)),
    params(("userId" = uuid::Uuid, Path)))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Body(body): Body,
) -> Result<Answer<IssuedToken>> {
    let id = ids.id("userId")?;
    caller.must_be(id)?;
    let user = app.store.user(caller.organization, id).await?;
    caller.must_be_owner(user.id)?;
    let new = CreateToken::read(&body, OffsetDateTime::now_utc())?;
    let mut revision = app.store.revision(caller.organization, caller.author()).await?;
    tokens::must_have_room(&mut revision, user.id).await?;
    let (token, issued) = issue(&app, &mut revision, user.id, &new).await?;
    let seen = revision.commit(vec![issued]).await?;
    Ok(app.created(seen, token))
}

/// Shows a token.
#[utoipa::path(get, path = "/users/{userId}/access-tokens/{tokenId}", operation_id = "get_token", tag = "Personal Access Tokens",
    responses((status = 200, body = PersonalToken), (status = 404)), params(("userId" = uuid::Uuid, Path), ("tokenId" = uuid::Uuid, Path)))]
pub(super) async fn get(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Answer<PersonalToken>> {
    let (user, id) = (ids.id("userId")?, ids.id("tokenId")?);
    caller.must_be(user)?;
    let row = app.store.token(caller.organization, user, id).await?;
    app.read(caller.organization, PersonalToken::at(row, OffsetDateTime::now_utc())).await
}

/// Renames a token of the user who asks.
#[utoipa::path(patch, path = "/users/{userId}/access-tokens/{tokenId}", operation_id = "update_token", tag = "Personal Access Tokens",
    request_body = UpdateToken, responses((status = 200, body = PersonalToken), (status = 400), (status = 404)),
    params(("userId" = uuid::Uuid, Path), ("tokenId" = uuid::Uuid, Path)))]
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Body(body): Body,
) -> Result<Answer<PersonalToken>> {
    let (user, id) = (ids.id("userId")?, ids.id("tokenId")?);
    caller.must_be(user)?;
    let update = UpdateToken::read(&body)?;
    let mut revision = app.store.revision(caller.organization, caller.author()).await?;
    let mut token = tokens::get(&mut revision, user, id).await?;
    caller.must_be_owner(user)?;
    if token.name == update.name {
        return Ok(app.ok(revision.unchanged().await?, PersonalToken::at(token, OffsetDateTime::now_utc())));
    }
    (token.name, token.updated_at) = (update.name, revision.at());
    tokens::update(&mut revision, &token).await?;
    let seen = revision.commit(vec![Change::TokenChanged { token: id, fields: vec!["name".to_owned()] }]).await?;
    Ok(app.ok(seen, PersonalToken::at(token, OffsetDateTime::now_utc())))
}

/// Revokes a token for ever; it stays in the list.
#[utoipa::path(patch, path = "/users/{userId}/access-tokens/{tokenId}/revoke", operation_id = "revoke_token",
    tag = "Personal Access Tokens", responses((status = 200, body = PersonalToken), (status = 404)),
    params(("userId" = uuid::Uuid, Path), ("tokenId" = uuid::Uuid, Path)))]
pub(super) async fn revoke(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Answer<PersonalToken>> {
    let (user, id) = (ids.id("userId")?, ids.id("tokenId")?);
    caller.must_be(user)?;
    let mut revision = app.store.revision(caller.organization, caller.author()).await?;
    let mut token = tokens::get(&mut revision, user, id).await?;
    if token.revoked_at.is_some() {
        return Ok(app.ok(revision.unchanged().await?, PersonalToken::at(token, OffsetDateTime::now_utc())));
    }
    token.updated_at = revision.at();
    (token.revoked_at, token.revoked_by) = (Some(revision.at()), Some(caller.user));
    tokens::update(&mut revision, &token).await?;
    let seen = revision.commit(vec![Change::TokenRevoked { token: id }]).await?;
    Ok(app.ok(seen, PersonalToken::at(token, OffsetDateTime::now_utc())))
}

/// Deletes a token, which revokes it.
#[utoipa::path(delete, path = "/users/{userId}/access-tokens/{tokenId}", operation_id = "delete_token", tag = "Personal Access Tokens",
    responses((status = 204), (status = 404)), params(("userId" = uuid::Uuid, Path), ("tokenId" = uuid::Uuid, Path)))]
pub(super) async fn delete(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Empty> {
    let (user, id) = (ids.id("userId")?, ids.id("tokenId")?);
    caller.must_be(user)?;
    let mut revision = app.store.revision(caller.organization, caller.author()).await?;
    tokens::get(&mut revision, user, id).await?;
    tokens::delete(&mut revision, user, id).await?;
    let seen = revision.commit(vec![Change::TokenRevoked { token: id }]).await?;
    Ok(app.gone(seen))
}

/// Stores a new personal token, with its text for the one answer that shows it.
pub(super) async fn issue(
    app: &App,
    revision: &mut Revision,
    user: uuid::Uuid,
    new: &CreateToken,
) -> Result<(IssuedToken, Change)> {
    let secret = app.new_token(Kind::Personal, revision.organization());
    let expires_at = new.expires_at(revision.at());
    let token =
        NewToken { principal: user, kind: TokenKind::Personal, name: &new.name, hash: secret.hash(), expires_at };
    let (row, issued) = tokens::insert(revision, token).await?;
    let token = PersonalToken::at(row, revision.at());
    Ok((IssuedToken { token, konnect_token: secret.expose().to_owned() }, issued))
}
