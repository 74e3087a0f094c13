//! The rows of one chain, with the secondary indexes that decisions and cascades need.

use std::collections::HashMap;

use writ_contract::row::{Condition, Entity, EntityKey, Grant, Membership, OrganizationState, Principal, Role, Token};
use writ_contract::{ConditionId, GrantId, Hash, PrincipalId, RoleKey, TeamId, TokenId};

use crate::pairs::Pairs;
use crate::row::{Row, RowKey};

mod edit;

/// What is known of an entity: it lives, with or without a parent, or it was deleted, which is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announced {
    /// It exists.
    Live {
        /// The entity it belongs to.
        parent: Option<EntityKey>,
    },
    /// It existed.
    Deleted,
}

/// The rows of one chain by key, and the keys that hang on another row.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    organization: Option<OrganizationState>,
    principals: HashMap<PrincipalId, Principal>,
    memberships: HashMap<(TeamId, PrincipalId), Membership>,
    roles: HashMap<RoleKey, Role>,
    grants: HashMap<GrantId, Grant>,
    tokens: HashMap<TokenId, Token>,
    conditions: HashMap<ConditionId, Condition>,
    entities: HashMap<EntityKey, Announced>,
    members_of_team: Pairs<PrincipalId, PrincipalId>,
    teams_of_member: Pairs<PrincipalId, TeamId>,
    grants_of_principal: Pairs<PrincipalId, GrantId>,
    grants_of_role: Pairs<RoleKey, GrantId>,
    tokens_of_principal: Pairs<PrincipalId, TokenId>,
    tokens_of_hash: Pairs<Hash, TokenId>,
    children: Pairs<EntityKey, EntityKey>,
    forbids: usize,
}

impl Rows {
    /// The organization's state, if this chain says it.
    pub fn organization(&self) -> Option<OrganizationState> {
        self.organization
    }

    /// A user, team or system account.
    pub fn principal(&self, id: PrincipalId) -> Option<&Principal> {
        self.principals.get(&id)
    }

    /// A role by key.
    pub fn role(&self, key: &RoleKey) -> Option<&Role> {
        self.roles.get(key)
    }

    /// A grant by id.
    pub fn grant(&self, id: GrantId) -> Option<&Grant> {
        self.grants.get(&id)
    }

    /// A token by id.
    pub fn token(&self, id: TokenId) -> Option<&Token> {
        self.tokens.get(&id)
    }

    /// The token with a hash. None if several have it: nobody knows which of them it is.
    pub(crate) fn token_with(&self, hash: &Hash) -> Option<&Token> {
        let mut ids = self.tokens_of_hash.of(hash);
        match (ids.next(), ids.next()) {
            (Some(only), None) => self.tokens.get(only),
            _ => None,
        }
    }

    /// What is known of an entity.
    pub fn entity(&self, key: &EntityKey) -> Option<&Announced> {
        self.entities.get(key)
    }

    /// The memberships of a principal, in the order of their teams.
    pub fn memberships_of(&self, member: PrincipalId) -> impl Iterator<Item = &Membership> {
        self.teams_of_member.of(&member).filter_map(move |team| self.memberships.get(&(*team, member)))
    }

    /// The grants of a principal itself, in the order of their ids.
    pub fn grants_of(&self, principal: PrincipalId) -> impl Iterator<Item = &Grant> {
        self.grants_of_principal.of(&principal).filter_map(|id| self.grants.get(id))
    }

    /// Whether any condition forbids organization-wide.
    pub fn has_forbid(&self) -> bool {
        self.forbids > 0
    }

    /// The entity's ancestors, nearest first.
    pub fn ancestors(&self, key: &EntityKey) -> impl Iterator<Item = &EntityKey> {
        std::iter::successors(self.parent(key), |parent| self.parent(parent))
    }

    fn parent(&self, key: &EntityKey) -> Option<&EntityKey> {
        match self.entities.get(key)? {
            Announced::Live { parent } => parent.as_ref(),
            Announced::Deleted => None,
        }
    }

    /// The row with a key.
    pub fn get(&self, key: &RowKey) -> Option<Row> {
        match key {
            RowKey::Organization => self.organization.map(Row::Organization),
            RowKey::Principal(id) => self.principals.get(id).cloned().map(Row::Principal),
            RowKey::Membership { team, member } => {
                self.memberships.get(&(*team, *member)).cloned().map(Row::Membership)
            }
            RowKey::Role(key) => self.roles.get(key).cloned().map(Row::Role),
            RowKey::Grant(id) => self.grants.get(id).cloned().map(Row::Grant),
            RowKey::Token(id) => self.tokens.get(id).cloned().map(Row::Token),
            RowKey::Condition(id) => self.conditions.get(id).cloned().map(Row::Condition),
            RowKey::Entity(key) => self.entities.get(key).map(|announced| entity_row(key, announced)),
        }
    }

    /// Whether there is a row with a key.
    pub fn contains(&self, key: &RowKey) -> bool {
        match key {
            RowKey::Organization => self.organization.is_some(),
            RowKey::Principal(id) => self.principals.contains_key(id),
            RowKey::Membership { team, member } => self.memberships.contains_key(&(*team, *member)),
            RowKey::Role(key) => self.roles.contains_key(key),
            RowKey::Grant(id) => self.grants.contains_key(id),
            RowKey::Token(id) => self.tokens.contains_key(id),
            RowKey::Condition(id) => self.conditions.contains_key(id),
            RowKey::Entity(key) => self.entities.contains_key(key),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        usize::from(self.organization.is_some())
            + self.principals.len()
            + self.memberships.len()
            + self.roles.len()
            + self.grants.len()
            + self.tokens.len()
            + self.conditions.len()
            + self.entities.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every row, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = Row> {
        self.keys().filter_map(|key| self.get(&key))
    }

    /// Every key, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = RowKey> {
        let organization = self.organization.map(|_| RowKey::Organization);
        organization
            .into_iter()
            .chain(self.principals.keys().map(|id| RowKey::Principal(*id)))
            .chain(self.memberships.keys().map(|(team, member)| RowKey::Membership { team: *team, member: *member }))
            .chain(self.roles.keys().map(|key| RowKey::Role(key.clone())))
            .chain(self.grants.keys().map(|id| RowKey::Grant(*id)))
            .chain(self.tokens.keys().map(|id| RowKey::Token(*id)))
            .chain(self.conditions.keys().map(|id| RowKey::Condition(*id)))
            .chain(self.entities.keys().map(|key| RowKey::Entity(key.clone())))
    }

    /// The memberships, grants and tokens of a principal, as member and as team.
    pub(crate) fn hanging_on_principal(&self, id: PrincipalId) -> Vec<RowKey> {
        let as_team = TeamId::from_uuid(id.as_uuid());
        let members = self.members_of_team.of(&id).map(|member| RowKey::Membership { team: as_team, member: *member });
        let teams = self.teams_of_member.of(&id).map(|team| RowKey::Membership { team: *team, member: id });
        let grants = self.grants_of_principal.of(&id).map(|grant| RowKey::Grant(*grant));
        let tokens = self.tokens_of_principal.of(&id).map(|token| RowKey::Token(*token));
        members.chain(teams).chain(grants).chain(tokens).collect()
    }

    /// The grants of a role.
    pub(crate) fn hanging_on_role(&self, key: &RoleKey) -> Vec<RowKey> {
        self.grants_of_role.of(key).map(|grant| RowKey::Grant(*grant)).collect()
    }

    /// The entities whose parent this is.
    pub(crate) fn children_of(&self, key: &EntityKey) -> Vec<RowKey> {
        self.children.of(key).cloned().map(RowKey::Entity).collect()
    }
}

fn entity_row(key: &EntityKey, announced: &Announced) -> Row {
    match announced {
        Announced::Live { parent } => Row::Entity(Entity { key: key.clone(), parent: parent.clone() }),
        Announced::Deleted => Row::Tombstone(key.clone()),
    }
}
