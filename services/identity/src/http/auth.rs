//! Authentication and authorization of callers.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::row::TokenKind;
use writ_contract::{Hash, OrganizationId, StoredText, UserId};
use writ_service::RequestId;
use writ_service::http::InFlight;
use writ_tokens::{BearerToken, hash_of, same_hash};

use super::input::{KeyScope, KeyedRequest, key_alone};
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

/// A person who shows an invitation and is not active yet.
pub(super) struct Invitee(pub(super) ShownInvitation);

/// An active user who shows a recovery invitation.
pub(super) struct Recovering(pub(super) ShownInvitation);

/// An invitation that can be accepted, or that a request with the same `Idempotency-Key` may have accepted before.
pub(super) struct ShownInvitation {
    hash: Hash,
    holder: Option<TokenHolder>,
    request_id: Option<StoredText>,
}

impl Caller {
    /// Requires an administrator, or the user in question.
    pub(super) fn must_be(&self, user: UserId) -> Result<()> {
        Right::ActFor(user).require(&self.bearer.holder)
    }

    /// The bearer of a request that may be repeated.
    pub(super) fn creating(&self, app: &App, key: Option<KeyedRequest>) -> Bearer {
        let mut user = [0; 32];
        user[..16].copy_from_slice(self.organization.as_bytes());
        user[16..].copy_from_slice(self.user.as_bytes());
        Bearer { repeatable: key.map(|key| key.of(app, KeyScope::User(user))), ..self.bearer.clone() }
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
            repeatable: None,
        }
    }

    /// Our own id of the request.
    pub(super) fn request_id(&self) -> Option<&str> {
        self.request_id.as_ref().map(StoredText::as_str)
    }

    /// The author of a request that may be repeated.
    pub(super) fn creating(&self, app: &App, key: Option<KeyedRequest>) -> Author {
        Author { repeatable: key.map(|key| key.of(app, KeyScope::Operator)), ..self.author() }
    }
}

impl ShownInvitation {
    /// The bearer of a request that may be repeated.
    ///
    /// # Errors
    /// [`IdentityError::Answered`] when it is a repetition of the one that has accepted the invitation.
    pub(super) async fn creating(self, app: &App, key: Option<KeyedRequest>) -> Result<Bearer> {
        let repeatable = key.map(|key| key.of(app, KeyScope::Invitation(self.hash)));
        match (self.holder, repeatable) {
            (Some(holder), repeatable) => Ok(Bearer { holder, request_id: self.request_id, repeatable }),
            (None, Some(request)) => Err(app.store.answer_again(&request).await),
            (None, None) => Err(IdentityError::Unauthenticated),
        }
    }

    async fn of(parts: &Parts, app: &App, active: bool) -> Result<Self> {
        let token = token_of_this_region(parts, app)?;
        if token.kind() != TokenKind::Invite {
            return Err(IdentityError::Unauthenticated);
        }
        let hash = token.hash();
        let _turn = app.lookups.take(token.organization(), hash).await?;
        let found = if active { app.store.recovering(&hash).await } else { app.store.invited(&hash).await };
        let holder = match found {
            // Only now may a body be read that nobody answers for.
            Err(IdentityError::Unauthenticated) if is_repeated(parts, app, hash).await? => None,
            found => Some(of_its_organization(&token, found?)?),
        };
        if let Some(holder) = &holder {
            charge(parts, holder)?;
        }
        Ok(Self { hash, holder, request_id: request_id(parts) })
    }
}

/// Whether an answer is kept for a request with this invitation and the request's `Idempotency-Key`.
async fn is_repeated(parts: &Parts, app: &App, invitation: Hash) -> Result<bool> {
    let Ok(Some(key)) = key_alone(&parts.headers) else { return Ok(false) };
    app.store.is_answered(&key.of(app, KeyScope::Invitation(invitation))).await
}

impl FromRequestParts<App> for Caller {
    type Rejection = IdentityError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let token = token_of_this_region(parts, app)?;
        if token.kind() != TokenKind::Personal {
            return Err(IdentityError::Unauthenticated);
        }
        let hash = token.hash();
        let turn = app.lookups.take(token.organization(), hash).await?;
        let holder = of_its_organization(&token, app.store.holder(&hash).await?)?;
        turn.found();
        charge(parts, &holder)?;
        app.last_uses.note(&holder);
        warning::of_the_last_token(parts, app, &holder).await?;
        let (organization, user) = (holder.organization, holder.user);
        let bearer = Bearer { holder, request_id: request_id(parts), repeatable: None };
        Ok(Self { organization, user, bearer })
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
        ShownInvitation::of(parts, app, false).await.map(Self)
    }
}

impl FromRequestParts<App> for Recovering {
    type Rejection = IdentityError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        ShownInvitation::of(parts, app, true).await.map(Self)
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
    let header = headers.next().ok_or(IdentityError::NoToken)?;
    if headers.next().is_some() {
        return Err(IdentityError::Unauthenticated);
    }
    let (scheme, token) =
        header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(IdentityError::Unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(IdentityError::Unauthenticated) }
}

fn is_operator(text: &str, app: &App) -> bool {
    same_hash(&hash_of(text), &app.platform.operator)
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

/// Counts the request as one of the organization, before its body is read.
fn charge(parts: &Parts, holder: &TokenHolder) -> Result<()> {
    let charged = InFlight::of(&parts.extensions).charge(holder.organization, holder.request_rate());
    charged.map_err(|problem| IdentityError::TooManyRequests(Box::new(problem)))
}

fn request_id(parts: &Parts) -> Option<StoredText> {
    parts.extensions.get::<RequestId>().map(|id| StoredText::lossy(id.as_str()))
}
