//! Rows in and out, with what the secondary indexes say of them.

use writ_contract::row::{Condition, Effect, Entity, EntityKey, Grant, Membership, Token};
use writ_contract::{ConditionId, GrantId, PrincipalId, TeamId, TokenId};

use super::{Announced, Rows, entity_row};
use crate::row::{Row, RowKey};

impl Rows {
    /// Inserts a row, or replaces the one with the same key, which is returned.
    pub fn put(&mut self, row: Row) -> Option<Row> {
        let old = self.remove(&row.key());
        match row {
            Row::Organization(state) => self.organization = Some(state),
            Row::Principal(row) => drop(self.principals.insert(row.id, row)),
            Row::Membership(row) => self.put_membership(row),
            Row::Role(row) => drop(self.roles.insert(row.key.clone(), row)),
            Row::Grant(row) => self.put_grant(row),
            Row::Token(row) => self.put_token(row),
            Row::Condition(row) => self.put_condition(row),
            Row::Entity(row) => self.put_entity(row),
            Row::Tombstone(key) => drop(self.entities.insert(key, Announced::Deleted)),
        }
        old
    }

    /// Removes and returns the row with a key.
    pub fn remove(&mut self, key: &RowKey) -> Option<Row> {
        match key {
            RowKey::Organization => self.organization.take().map(Row::Organization),
            RowKey::Principal(id) => self.principals.remove(id).map(Row::Principal),
            RowKey::Membership { team, member } => self.remove_membership(*team, *member).map(Row::Membership),
            RowKey::Role(key) => self.roles.remove(key).map(Row::Role),
            RowKey::Grant(id) => self.remove_grant(*id).map(Row::Grant),
            RowKey::Token(id) => self.remove_token(*id).map(Row::Token),
            RowKey::Condition(id) => self.remove_condition(*id).map(Row::Condition),
            RowKey::Entity(key) => self.remove_entity(key),
        }
    }

    fn put_membership(&mut self, row: Membership) {
        self.members_of_team.insert(row.team.into(), row.member);
        self.teams_of_member.insert(row.member, row.team);
        self.memberships.insert((row.team, row.member), row);
    }

    fn remove_membership(&mut self, team: TeamId, member: PrincipalId) -> Option<Membership> {
        self.members_of_team.remove(&team.into(), &member);
        self.teams_of_member.remove(&member, &team);
        self.memberships.remove(&(team, member))
    }

    fn put_grant(&mut self, row: Grant) {
        self.grants_of_principal.insert(row.principal, row.id);
        self.grants_of_role.insert(row.role.clone(), row.id);
        self.grants.insert(row.id, row);
    }

    fn remove_grant(&mut self, id: GrantId) -> Option<Grant> {
        let row = self.grants.remove(&id)?;
        self.grants_of_principal.remove(&row.principal, &id);
        self.grants_of_role.remove(&row.role, &id);
        Some(row)
    }

    fn put_token(&mut self, row: Token) {
        self.tokens_of_principal.insert(row.principal, row.id);
        self.tokens_of_hash.insert(row.hash, row.id);
        self.tokens.insert(row.id, row);
    }

    fn remove_token(&mut self, id: TokenId) -> Option<Token> {
        let row = self.tokens.remove(&id)?;
        self.tokens_of_principal.remove(&row.principal, &id);
        self.tokens_of_hash.remove(&row.hash, &id);
        Some(row)
    }

    fn put_condition(&mut self, row: Condition) {
        self.forbids += usize::from(row.effect == Effect::Forbid);
        self.conditions.insert(row.id, row);
    }

    fn remove_condition(&mut self, id: ConditionId) -> Option<Condition> {
        let row = self.conditions.remove(&id)?;
        self.forbids -= usize::from(row.effect == Effect::Forbid);
        Some(row)
    }

    fn put_entity(&mut self, row: Entity) {
        if let Some(parent) = &row.parent {
            self.children.insert(parent.clone(), row.key.clone());
        }
        self.entities.insert(row.key, Announced::Live { parent: row.parent });
    }

    fn remove_entity(&mut self, key: &EntityKey) -> Option<Row> {
        let announced = self.entities.remove(key)?;
        if let Announced::Live { parent: Some(parent) } = &announced {
            self.children.remove(parent, key);
        }
        Some(entity_row(key, &announced))
    }
}
