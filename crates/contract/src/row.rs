//! The facts of which policies are made, each declared once: events, operations, rows and tables carry these.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::names;
use crate::text::StoredText;
use crate::{
    Action, ConditionId, EntityId, EntityType, GrantId, Hash, PrincipalId, Region, RoleKey, TeamId, Timestamp, TokenId,
};

names! {
    /// Whether an organization may act.
    OrganizationState {
        /// It may.
        Active = "active",
        /// Every decision is a denial until it is active again.
        Suspended = "suspended",
        /// Final.
        Deleted = "deleted",
    }
}

names! {
    /// The kind of a principal.
    #[derive(PartialOrd, Ord)]
    PrincipalKind {
        /// A person.
        User = "user",
        /// A group of users and system accounts.
        Team = "team",
        /// A machine account.
        SystemAccount = "system_account",
    }
}

names! {
    /// What a bearer token stands for.
    TokenKind {
        /// A user's personal access token.
        Personal = "personal",
        /// A system account's token.
        SystemAccount = "system_account",
        /// Accepts an invitation, once.
        Invite = "invite",
    }
}

names! {
    /// What a condition does when it holds.
    Effect {
        /// Denies, in the whole organization.
        Forbid = "forbid",
        /// Lets the grants count that name it.
        When = "when",
    }
}

/// When a membership or a grant counts. `None` means unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Validity {
    /// First moment at which it counts.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// First moment at which it no longer counts.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Validity {
    /// Whether `now` lies within the bounds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// A user, team or system account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Its id.
    pub id: PrincipalId,
    /// What it is.
    pub kind: PrincipalKind,
    /// Whether it may act, or, for a team, gives its members anything.
    pub active: bool,
}

/// A principal is in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The team.
    pub team: TeamId,
    /// The user or system account in it.
    pub member: PrincipalId,
    /// When it counts.
    #[serde(default)]
    pub validity: Validity,
}

/// What may be done with entities of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its key.
    pub key: RoleKey,
    /// The type of the entities it is given on.
    pub entity_type: EntityType,
    /// What its holder may do.
    pub actions: BTreeSet<Action>,
    /// Types of descendants it reaches.
    #[serde(default)]
    pub covers_children: BTreeSet<EntityType>,
}

/// A principal has a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Who has the role.
    pub principal: PrincipalId,
    /// Which role.
    pub role: RoleKey,
    /// On entities of this type; a role of another type gives nothing.
    pub entity_type: EntityType,
    /// On this entity. `None` means every one.
    #[serde(default)]
    pub entity_id: Option<EntityId>,
    /// On entities of this region. `None` means every one.
    #[serde(default)]
    pub region: Option<Region>,
    /// When it counts.
    #[serde(default)]
    pub validity: Validity,
    /// The condition under which it counts.
    #[serde(default)]
    pub condition: Option<ConditionId>,
}

/// A bearer token, known by its hash alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// SHA-256 of its text.
    pub hash: Hash,
    /// Who it stands for.
    pub principal: PrincipalId,
    /// What it is for.
    pub kind: TokenKind,
    /// First moment at which it is no longer valid.
    pub expires_at: Timestamp,
}

/// A Cedar condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Its id.
    pub id: ConditionId,
    /// What it does when it holds.
    pub effect: Effect,
    /// The Cedar policy in its JSON form, on one line.
    pub cedar_json: StoredText<32_768>,
}

/// What names an entity within a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityKey {
    /// Its type.
    pub entity_type: EntityType,
    /// Its id.
    pub entity_id: EntityId,
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entity_type, self.entity_id)
    }
}

/// A known regional entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What names it.
    pub key: EntityKey,
    /// The entity it belongs to, of the same chain; fixed at creation.
    #[serde(default)]
    pub parent: Option<EntityKey>,
}
