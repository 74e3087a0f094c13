//! Authentication and authorization of callers.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::row::TokenKind;
use writ_contract::{OrganizationId, StoredText, TokenId, UserId};
use writ_service::RequestId;
use writ_tokens::{BearerToken, hash_of, same_hash};

use super::warning;
use crate::app::App;
use crate::error::{IdentityError, Result};
use crate::store::Author;
use crate::store::callers::{Bearer, Right, TokenHolder};

const OPERATOR_ONLY: IdentityError = IdentityError::Forbidden("Only the platform's operator may perform this action");
const NOT_FOR_OPERATOR: IdentityError =
    IdentityError::Forbidden("The platform's operator may do nothing inside an organization");

/// A user of an organization, by a personal token.
pub(super) struct Caller {
    /// The user's organization.
    pub(super) organization: OrganizationId,
    /// The user.
    pub(super) user: UserId,
    /// Whose right is checked again when something is changed.
    pub(super) bearer: Bearer,
}

/// A user who administers the organization.
pub(super) struct Administrator(pub(super) Caller);

/// The operator of the platform.
pub(super) struct Operator {
    request_id: Option<StoredText>,
}

/// A person who shows an invitation.
pub(super) struct Invitee {
    /// The user that is to be active.
    pub(super) user: UserId,
    /// The invitation's token.
    pub(super) token: TokenId,
    /// Whose invitation is checked again when it is accepted.
    pub(super) bearer: Bearer,
}

/// An active user who shows a recovery invitation.
pub(super) struct Recovering {
    /// The user.
    pub(super) user: UserId,
    /// The invitation's token.
    pub(super) token: TokenId,
    /// Whose invitation is checked again when it is accepted.
    pub(super) bearer: Bearer,
}

impl Caller {
    /// Requires an administrator, or the user in question.
    pub(super) fn must_be(&self, user: UserId) -> Result<()> {
        Right::ActFor(user).require(&self.bearer.holder)
    }

    /// Requires the user in question.
    pub(super) fn must_be_owner(&self, user: UserId) -> Result<()> {
        if self.user == user { Ok(()) } else { Err(IdentityError::Forbidden("Only the user may perform this action")) }
    }
}

impl Operator {
    /// The operator as the author of a change.
    pub(super) fn author(&self) -> Author {
        Author {
            actor: Actor { kind: ActorKind::Operator, id: StoredText::lossy("operator") },
            request_id: self.request_id.clone(),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = IdentityError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let token = token_of_this_region(parts, app)?;
        if token.kind() != TokenKind::Personal {
            return Err(IdentityError::Unauthenticated);
        }
        let holder = of_its_organization(&token, app.store.holder(&token.hash()).await?)?;
        app.last_uses.note(&holder);
        warning::of_the_last_token(parts, app, &holder).await?;
        let (organization, user) = (holder.organization, holder.user);
        Ok(Self { organization, user, bearer: Bearer { holder, request_id: request_id(parts) } })
    }
}

impl FromRequestParts<App> for Administrator {
    type Rejection = IdentityError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        Right::Administer.require(&caller.bearer.holder)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Invitee {
    type Rejection = IdentityError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let token = invite_token(parts, app)?;
        let holder = of_its_organization(&token, app.store.invited(&token.hash()).await?)?;
        let (user, token) = (holder.user, holder.token);
        Ok(Self { user, token, bearer: Bearer { holder, request_id: request_id(parts) } })
    }
}

impl FromRequestParts<App> for Recovering {
    type Rejection = IdentityError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let token = invite_token(parts, app)?;
        let holder = of_its_organization(&token, app.store.recovering(&token.hash()).await?)?;
        let (user, token) = (holder.user, holder.token);
        Ok(Self { user, token, bearer: Bearer { holder, request_id: request_id(parts) } })
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = IdentityError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        if is_operator(bearer(parts)?, app) {
            return Ok(Self { request_id: request_id(parts) });
        }
        // A valid token is told that it is not enough; others learn nothing.
        Caller::from_request_parts(parts, app).await?;
        Err(OPERATOR_ONLY)
    }
}

fn bearer(parts: &Parts) -> Result<&str> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return Err(IdentityError::Unauthenticated) };
    let (scheme, token) =
        header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(IdentityError::Unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(IdentityError::Unauthenticated) }
}

fn is_operator(text: &str, app: &App) -> bool {
    same_hash(&hash_of(text), &app.platform.operator)
}

fn invite_token(parts: &Parts, app: &App) -> Result<BearerToken> {
    let token = token_of_this_region(parts, app)?;
    if token.kind() == TokenKind::Invite { Ok(token) } else { Err(IdentityError::Unauthenticated) }
}

/// A well-formed token of an organization homed here. One of another region is sent there, from
/// its text alone: nothing is looked up and no body is read.
fn token_of_this_region(parts: &Parts, app: &App) -> Result<BearerToken> {
    let text = bearer(parts)?;
    if is_operator(text, app) {
        return Err(NOT_FOR_OPERATOR);
    }
    let token = BearerToken::parse(text).map_err(|_| IdentityError::Unauthenticated)?;
    if token.region() == app.store.region() {
        return Ok(token);
    }
    let home = app.platform.homes.get(&token.region()).ok_or(IdentityError::Unauthenticated)?;
    Err(IdentityError::Elsewhere { home: home.to_string(), target: target(parts).to_owned() })
}

/// Path and query as the client sent them: within a nested router the path lacks its beginning.
fn target(parts: &Parts) -> &str {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    uri.path_and_query().map_or("/", |target| target.as_str())
}

/// The organization in a token's text is the one it was issued for.
fn of_its_organization(token: &BearerToken, holder: TokenHolder) -> Result<TokenHolder> {
    if holder.organization == token.organization() { Ok(holder) } else { Err(IdentityError::Unauthenticated) }
}

fn request_id(parts: &Parts) -> Option<StoredText> {
    parts.extensions.get::<RequestId>().map(|id| StoredText::lossy(id.as_str()))
}
