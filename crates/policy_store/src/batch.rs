//! Several deltas as one change: of each row only the last word counts.

use std::collections::BTreeMap;

use uuid::Uuid;
use writ_contract::ChainId;
use writ_contract::identity_event::OrganizationState;
use writ_policy::{Binding, Condition, Delta, Entity, EntityKey, Grant, Principal, Role, Row, RowKey, Standing, Token};

/// What is put into and dropped from one table; no key twice.
#[derive(Debug)]
pub(crate) struct Changes<'a, R, K> {
    pub(crate) put: Vec<(&'a ChainId, R)>,
    pub(crate) dropped: Vec<(&'a ChainId, K)>,
}

impl<R, K> Default for Changes<'_, R, K> {
    fn default() -> Self {
        Self { put: Vec::new(), dropped: Vec::new() }
    }
}

/// Changes of all tables, in the order of their keys, so that two writers cannot block each
/// other.
#[derive(Debug, Default)]
pub(crate) struct Batch<'a> {
    pub(crate) standings: Vec<&'a Standing>,
    pub(crate) organizations: Changes<'a, OrganizationState, ()>,
    pub(crate) principals: Changes<'a, &'a Principal, Uuid>,
    pub(crate) bindings: Changes<'a, &'a Binding, (Uuid, Uuid)>,
    pub(crate) roles: Changes<'a, &'a Role, String>,
    pub(crate) grants: Changes<'a, &'a Grant, Uuid>,
    pub(crate) tokens: Changes<'a, &'a Token, Uuid>,
    pub(crate) conditions: Changes<'a, &'a Condition, Uuid>,
    /// A tombstone is a key without an entity.
    pub(crate) entities: Changes<'a, (&'a EntityKey, Option<&'a Entity>), EntityKey>,
}

impl<'a> Batch<'a> {
    pub(crate) fn of(deltas: &'a [Delta]) -> Self {
        let mut standings = BTreeMap::new();
        let mut rows = BTreeMap::new();
        for delta in deltas {
            standings.insert(delta.chain(), &delta.standing);
            rows.extend(delta.dropped.iter().map(|key| ((delta.chain(), key.clone()), None)));
            rows.extend(delta.put.iter().map(|row| ((delta.chain(), row.key()), Some(row))));
        }
        let mut batch = Self { standings: standings.into_values().collect(), ..Self::default() };
        for ((chain, key), row) in rows {
            match row {
                Some(row) => batch.put(chain, row),
                None => batch.drop(chain, key),
            }
        }
        batch
    }

    fn put(&mut self, chain: &'a ChainId, row: &'a Row) {
        match row {
            Row::Organization(state) => self.organizations.put.push((chain, *state)),
            Row::Principal(row) => self.principals.put.push((chain, row)),
            Row::Binding(row) => self.bindings.put.push((chain, row)),
            Row::Role(row) => self.roles.put.push((chain, row)),
            Row::Grant(row) => self.grants.put.push((chain, row)),
            Row::Token(row) => self.tokens.put.push((chain, row)),
            Row::Condition(row) => self.conditions.put.push((chain, row)),
            Row::Entity(row) => self.entities.put.push((chain, (&row.key, Some(row)))),
            Row::Tombstone(key) => self.entities.put.push((chain, (key, None))),
        }
    }

    fn drop(&mut self, chain: &'a ChainId, key: RowKey) {
        match key {
            RowKey::Organization => self.organizations.dropped.push((chain, ())),
            RowKey::Principal(id) => self.principals.dropped.push((chain, id)),
            RowKey::Binding { team, member } => self.bindings.dropped.push((chain, (team, member))),
            RowKey::Role(role) => self.roles.dropped.push((chain, role)),
            RowKey::Grant(id) => self.grants.dropped.push((chain, id)),
            RowKey::Token(id) => self.tokens.dropped.push((chain, id)),
            RowKey::Condition(id) => self.conditions.dropped.push((chain, id)),
            RowKey::Entity(key) => self.entities.dropped.push((chain, key)),
        }
    }
}
