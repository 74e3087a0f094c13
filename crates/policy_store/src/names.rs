//! The texts that stand for enumerated values, as in the schemas.

use writ_contract::identity_event::{Effect, OrganizationState, TokenKind};
use writ_contract::policy_change::{ChainState, PrincipalKind};

use crate::StoreError;

/// The value whose text this is.
pub(crate) fn parse<T: Copy>(
    all: &[T],
    name: fn(T) -> &'static str,
    text: &str,
    column: &'static str,
) -> Result<T, StoreError> {
    all.iter().copied().find(|value| name(*value) == text).ok_or(StoreError::Corrupt { column })
}

pub(crate) const ORGANIZATION_STATES: [OrganizationState; 3] =
    [OrganizationState::Active, OrganizationState::Suspended, OrganizationState::Deleted];

pub(crate) fn organization_state(state: OrganizationState) -> &'static str {
    match state {
        OrganizationState::Active => "active",
        OrganizationState::Suspended => "suspended",
        OrganizationState::Deleted => "deleted",
    }
}

pub(crate) const PRINCIPAL_KINDS: [PrincipalKind; 3] =
    [PrincipalKind::User, PrincipalKind::Team, PrincipalKind::SystemAccount];

pub(crate) fn principal_kind(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "user",
        PrincipalKind::Team => "team",
        PrincipalKind::SystemAccount => "system_account",
    }
}

pub(crate) const TOKEN_KINDS: [TokenKind; 3] = [TokenKind::Personal, TokenKind::SystemAccount, TokenKind::Invite];

pub(crate) fn token_kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Personal => "personal",
        TokenKind::SystemAccount => "system_account",
        TokenKind::Invite => "invite",
    }
}

pub(crate) const EFFECTS: [Effect; 2] = [Effect::Forbid, Effect::When];

pub(crate) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Forbid => "forbid",
        Effect::When => "when",
    }
}

pub(crate) const CHAIN_STATES: [ChainState; 4] =
    [ChainState::Live, ChainState::Stopped, ChainState::Parked, ChainState::Closed];

pub(crate) fn chain_state(state: ChainState) -> &'static str {
    match state {
        ChainState::Live => "live",
        ChainState::Stopped => "stopped",
        ChainState::Parked => "parked",
        ChainState::Closed => "closed",
    }
}
