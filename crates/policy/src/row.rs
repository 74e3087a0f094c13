//! The rows of a chain, and what names each.

use writ_contract::row::{Condition, Entity, EntityKey, Grant, Membership, OrganizationState, Principal, Role, Token};
use writ_contract::{ConditionId, GrantId, PrincipalId, RoleKey, TeamId, TokenId};

/// One row of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The organization's state.
    Organization(OrganizationState),
    /// A user, team or system account.
    Principal(Principal),
    /// A principal is in a team.
    Membership(Membership),
    /// A role.
    Role(Role),
    /// A principal has a role.
    Grant(Grant),
    /// A bearer token.
    Token(Token),
    /// A condition.
    Condition(Condition),
    /// A regional entity.
    Entity(Entity),
    /// What remains of a deleted entity, so that it is never created again.
    Tombstone(EntityKey),
}

/// What names a row within its chain. An entity and its tombstone have the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// A chain has at most one such row.
    Organization,
    /// By id.
    Principal(PrincipalId),
    /// By team and member.
    Membership {
        /// The team.
        team: TeamId,
        /// The user or system account in it.
        member: PrincipalId,
    },
    /// By key.
    Role(RoleKey),
    /// By id.
    Grant(GrantId),
    /// By id.
    Token(TokenId),
    /// By id.
    Condition(ConditionId),
    /// By type and id.
    Entity(EntityKey),
}

impl Row {
    /// What names the row.
    pub fn key(&self) -> RowKey {
        match self {
            Self::Organization(_) => RowKey::Organization,
            Self::Principal(row) => RowKey::Principal(row.id),
            Self::Membership(row) => RowKey::Membership { team: row.team, member: row.member },
            Self::Role(row) => RowKey::Role(row.key.clone()),
            Self::Grant(row) => RowKey::Grant(row.id),
            Self::Token(row) => RowKey::Token(row.id),
            Self::Condition(row) => RowKey::Condition(row.id),
            Self::Entity(row) => RowKey::Entity(row.key.clone()),
            Self::Tombstone(key) => RowKey::Entity(key.clone()),
        }
    }
}
