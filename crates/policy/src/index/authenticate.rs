//! Whom a bearer token stands for.

use std::fmt;

use writ_contract::row::{OrganizationState, Principal, PrincipalKind, Token, TokenKind};
use writ_contract::{Hash, OrganizationId, PLATFORM_ORGANIZATION, PrincipalId, Timestamp, TokenId};

use super::Index;
use crate::state::Chain;

/// Whom a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The organization.
    pub organization: OrganizationId,
    /// The user or system account.
    pub principal: PrincipalId,
    /// Which of the two.
    pub kind: PrincipalKind,
    /// The token's id.
    pub token: TokenId,
    /// First moment at which the token is no longer valid.
    pub expires_at: Timestamp,
}

/// Why a token stands for nobody. For logs and metrics: a caller learns only that it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unauthenticated {
    /// No such token, or one that was revoked.
    UnknownToken,
    /// Its time is over.
    Expired,
    /// It is an invitation, which only accepts itself.
    NotForAccess,
    /// Its principal is unknown or may not act.
    PrincipalInactive,
    /// Its organization is unknown or may not act.
    OrganizationInactive,
    /// The organization's chain is halted: the token may have been revoked since.
    ViewIncomplete,
}

impl Unauthenticated {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::UnknownToken,
        Self::Expired,
        Self::NotForAccess,
        Self::PrincipalInactive,
        Self::OrganizationInactive,
        Self::ViewIncomplete,
    ];

    /// Its name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownToken => "unknown_token",
            Self::Expired => "expired",
            Self::NotForAccess => "not_for_access",
            Self::PrincipalInactive => "principal_inactive",
            Self::OrganizationInactive => "organization_inactive",
            Self::ViewIncomplete => "view_incomplete",
        }
    }
}

impl fmt::Display for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Index {
    /// Finds out whom a token of an organization stands for, by the SHA-256 of its text, which names the organization. What
    /// other organizations have under the same hash plays no part: anybody who reads the log can write it there.
    ///
    /// # Errors
    /// The reason why it stands for nobody at `now`.
    pub fn authenticate(
        &self,
        organization: OrganizationId,
        token_hash: &Hash,
        now: Timestamp,
    ) -> Result<Authenticated, Unauthenticated> {
        let chain = self.identity(organization).ok_or(Unauthenticated::UnknownToken)?;
        let token = chain.rows().token_with(token_hash).ok_or(Unauthenticated::UnknownToken)?;
        check_token(chain, token, now)?;
        let principal = acting(chain, token).ok_or(Unauthenticated::PrincipalInactive)?;
        Ok(Authenticated {
            organization,
            principal: principal.id,
            kind: principal.kind,
            token: token.id,
            expires_at: token.expires_at,
        })
    }

    /// The identity chain of an organization of a customer.
    pub(super) fn identity(&self, organization: OrganizationId) -> Option<&Chain> {
        if organization == PLATFORM_ORGANIZATION {
            return None;
        }
        self.organizations.get(&organization)?.identity()
    }
}

fn check_token(chain: &Chain, token: &Token, now: Timestamp) -> Result<(), Unauthenticated> {
    if token.expires_at <= now {
        return Err(Unauthenticated::Expired);
    }
    if token.kind == TokenKind::Invite {
        return Err(Unauthenticated::NotForAccess);
    }
    if chain.is_halted() {
        return Err(Unauthenticated::ViewIncomplete);
    }
    match chain.rows().organization() {
        Some(OrganizationState::Active) => Ok(()),
        _ => Err(Unauthenticated::OrganizationInactive),
    }
}

/// The token's principal, if it is active and of the kind that such tokens are for.
fn acting<'a>(chain: &'a Chain, token: &Token) -> Option<&'a Principal> {
    let kind = match token.kind {
        TokenKind::Personal => PrincipalKind::User,
        TokenKind::SystemAccount => PrincipalKind::SystemAccount,
        TokenKind::Invite => return None,
    };
    chain.rows().principal(token.principal).filter(|principal| principal.active && principal.kind == kind)
}
