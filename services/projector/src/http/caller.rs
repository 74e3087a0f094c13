//! Who asks.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::row::PrincipalKind;
use writ_contract::{Hash, OrganizationId, StoredText, Timestamp};
use writ_policy::{Authenticated, Index};
use writ_tokens::{BearerToken, hash_of};

use super::error::ReadError;
use crate::platform_tokens::PlatformTokens;

/// The header in which a platform service names the organization it asks about.
const ORGANIZATION: &str = "writ-organization";

/// The credentials of a request. Not checked yet, except for platform services, which are known from the start.
#[derive(Debug)]
pub(super) enum Credentials {
    /// A platform service, and the organization it asks about.
    Platform { organization: OrganizationId, service: StoredText },
    /// A principal's token of the right form.
    Principal(BearerToken),
}

impl Credentials {
    /// Reads the headers.
    ///
    /// # Errors
    /// 401 without a token of the right form; 400 for a wrong organization.
    pub(super) fn of(headers: &HeaderMap, platform: &PlatformTokens) -> Result<Self, ReadError> {
        let text = bearer(headers)?;
        let hash = hash_of(text);
        if platform.contains(&hash) {
            let organization = named_organization(headers)?.ok_or_else(no_organization)?;
            return Ok(Self::Platform { organization, service: service_name(&hash) });
        }
        let token = BearerToken::parse(text).map_err(|_| ReadError::bad_token())?;
        match named_organization(headers)? {
            Some(named) if named != token.organization() => {
                Err(ReadError::bad_request("Writ-Organization is not the organization of the bearer token"))
            }
            _ => Ok(Self::Principal(token)),
        }
    }

    /// The organization asked about.
    pub(super) fn organization(&self) -> OrganizationId {
        match self {
            Self::Platform { organization, .. } => *organization,
            Self::Principal(token) => token.organization(),
        }
    }

    /// Checks the token against the current state.
    ///
    /// # Errors
    /// 401.
    pub(super) fn authenticate(&self, index: &Index) -> Result<ReadCaller, ReadError> {
        let token = match self {
            Self::Platform { organization, service } => {
                return Ok(ReadCaller::Platform { organization: *organization, service: service.clone() });
            }
            Self::Principal(token) => token,
        };
        let found = index.authenticate(token.organization(), &token.hash(), Timestamp::now());
        found.map(ReadCaller::Principal).map_err(|reason| refuse(reason.as_str()))
    }
}

/// The authenticated caller.
#[derive(Debug, Clone)]
pub(super) enum ReadCaller {
    /// A platform service, which may ask about everybody in this organization.
    Platform { organization: OrganizationId, service: StoredText },
    /// A principal, who may ask about itself, and about others if its roles say so.
    Principal(Authenticated),
}

impl ReadCaller {
    /// The organization asked about.
    pub(super) fn organization(&self) -> OrganizationId {
        match self {
            Self::Platform { organization, .. } => *organization,
            Self::Principal(principal) => principal.organization,
        }
    }

    /// The caller as decisions name it.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Platform { service, .. } => Actor { kind: ActorKind::PlatformProducer, id: service.clone() },
            Self::Principal(principal) => {
                Actor { kind: kind(principal.kind), id: StoredText::lossy(&principal.principal.to_string()) }
            }
        }
    }
}

fn kind(kind: PrincipalKind) -> ActorKind {
    match kind {
        PrincipalKind::SystemAccount => ActorKind::SystemAccount,
        PrincipalKind::User | PrincipalKind::Team => ActorKind::User,
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, ReadError> {
    let value = headers.get(AUTHORIZATION).ok_or_else(ReadError::no_token)?;
    let text = value.to_str().map_err(|_| ReadError::bad_token())?;
    let (scheme, token) = text.trim().split_once(' ').ok_or_else(ReadError::bad_token)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(ReadError::bad_token()) }
}

fn named_organization(headers: &HeaderMap) -> Result<Option<OrganizationId>, ReadError> {
    let Some(value) = headers.get(ORGANIZATION) else { return Ok(None) };
    let organization = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    organization.map(Some).ok_or_else(|| ReadError::bad_request("Writ-Organization is not an organization's id"))
}

fn no_organization() -> ReadError {
    ReadError::bad_request("Writ-Organization is required: a platform service names the organization it asks about")
}

/// Distinguishes platform services in the record of decisions. Eight digits of the hash of a 256-bit token reveal nothing
/// of the token.
fn service_name(hash: &Hash) -> StoredText {
    StoredText::lossy(&format!("platform-service-{}", &hash.to_string()[..8]))
}

fn refuse(reason: &'static str) -> ReadError {
    metrics::counter!("writ_unauthenticated_total", "reason" => reason).increment(1);
    ReadError::bad_token()
}
