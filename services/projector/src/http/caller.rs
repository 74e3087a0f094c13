//! Who asks.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use uuid::Uuid;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::policy_change::PrincipalKind;
use writ_contract::{Hash, Timestamp};
use writ_policy::{Authenticated, Index};
use writ_tokens::{BearerToken, hash_of, same_hash};

use super::refusal::Refusal;

/// Names the organization a platform service asks about.
const ORGANIZATION: &str = "writ-organization";
/// Why a token that names another organization than its own is refused, as metrics have it.
pub(crate) const FOREIGN_ORGANIZATION: &str = "foreign_organization";

/// The tokens of platform services, which may ask about any organization.
#[derive(Debug, Clone, Default)]
pub struct PlatformTokens(Vec<Hash>);

impl PlatformTokens {
    /// Tokens by their SHA-256.
    pub fn new(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// Compares with every hash, so that the time tells nothing.
    fn contains(&self, hash: &Hash) -> bool {
        self.0.iter().fold(false, |found, known| same_hash(known, hash) | found)
    }
}

/// What a request brings along to say who asks. Not checked yet, but for platform services, which
/// are known from the start.
#[derive(Debug)]
pub(super) enum Credentials {
    /// A platform service, and the organization it asks about.
    Platform { organization: Uuid, service: String },
    /// A principal's token of the right form.
    Principal(BearerToken),
}

impl Credentials {
    /// Reads the headers.
    ///
    /// # Errors
    /// 401 without a token of the right form; 400 for a wrong organization.
    pub(super) fn of(headers: &HeaderMap, platform: &PlatformTokens) -> Result<Self, Refusal> {
        let text = bearer(headers)?;
        let hash = hash_of(text);
        if platform.contains(&hash) {
            let organization = named_organization(headers)?.ok_or_else(no_organization)?;
            return Ok(Self::Platform { organization, service: service_name(&hash) });
        }
        let token = BearerToken::parse(text).map_err(|_| Refusal::bad_token())?;
        match named_organization(headers)? {
            Some(named) if named != token.organization() => {
                Err(Refusal::bad_request("Writ-Organization is not the organization of the bearer token"))
            }
            _ => Ok(Self::Principal(token)),
        }
    }

    /// Whose decisions are asked for.
    pub(super) fn organization(&self) -> Uuid {
        match self {
            Self::Platform { organization, .. } => *organization,
            Self::Principal(token) => token.organization(),
        }
    }

    /// Checks the token against what is in force now.
    ///
    /// # Errors
    /// 401.
    pub(super) fn authenticate(&self, index: &Index) -> Result<Caller, Refusal> {
        let token = match self {
            Self::Platform { organization, service } => {
                return Ok(Caller::Platform { organization: *organization, service: service.clone() });
            }
            Self::Principal(token) => token,
        };
        match index.authenticate(&token.hash(), Timestamp::now()) {
            Ok(principal) if principal.organization == token.organization() => Ok(Caller::Principal(principal)),
            Ok(_) => Err(refuse(FOREIGN_ORGANIZATION)),
            Err(reason) => Err(refuse(reason.as_str())),
        }
    }
}

/// Who asks, known for sure.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// A platform service, which may ask about everybody in this organization.
    Platform { organization: Uuid, service: String },
    /// A principal, who may ask about itself, and about others if its roles say so.
    Principal(Authenticated),
}

impl Caller {
    /// Whose decisions it asks for.
    pub(super) fn organization(&self) -> Uuid {
        match self {
            Self::Platform { organization, .. } => *organization,
            Self::Principal(principal) => principal.organization,
        }
    }

    /// As decisions are recorded.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Platform { service, .. } => Actor { kind: ActorKind::PlatformProducer, id: service.clone() },
            Self::Principal(principal) => Actor { kind: kind(principal.kind), id: principal.principal.to_string() },
        }
    }
}

fn kind(kind: PrincipalKind) -> ActorKind {
    match kind {
        PrincipalKind::SystemAccount => ActorKind::SystemAccount,
        PrincipalKind::User | PrincipalKind::Team => ActorKind::User,
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let value = headers.get(AUTHORIZATION).ok_or_else(Refusal::no_token)?;
    let text = value.to_str().map_err(|_| Refusal::bad_token())?;
    let (scheme, token) = text.trim().split_once(' ').ok_or_else(Refusal::bad_token)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Refusal::bad_token()) }
}

fn named_organization(headers: &HeaderMap) -> Result<Option<Uuid>, Refusal> {
    let Some(value) = headers.get(ORGANIZATION) else { return Ok(None) };
    let organization = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    organization.map(Some).ok_or_else(|| Refusal::bad_request("Writ-Organization is not an organization's id"))
}

fn no_organization() -> Refusal {
    Refusal::bad_request("Writ-Organization is required: a platform service names the organization it asks about")
}

/// Tells platform services apart in the record of decisions. Eight digits of the hash of a
/// 256-bit token tell nothing of the token.
fn service_name(hash: &Hash) -> String {
    format!("platform-service-{}", &hash.to_string()[..8])
}

fn refuse(reason: &'static str) -> Refusal {
    metrics::counter!("writ_unauthenticated_total", "reason" => reason).increment(1);
    Refusal::bad_token()
}
