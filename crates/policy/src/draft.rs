//! Operations carried out beside a chain's rows, which stay as they are until the outcome is
//! known to be right.

use std::collections::HashSet;

use writ_contract::identity_event::OrganizationState;
use writ_contract::policy_change::Operation;

use crate::admit::{Admission, admit};
use crate::digest::StateDigest;
use crate::row::{Binding, Condition, Entity, EntityKey, Grant, Principal, Role, Row, RowKey, Token, Validity};
use crate::rows::{Announced, Rows};

/// What some operations make of the rows below.
pub(crate) struct Draft<'a> {
    base: &'a Rows,
    put: Rows,
    dropped: HashSet<RowKey>,
    digest: StateDigest,
}

impl<'a> Draft<'a> {
    /// No change yet to rows whose state digest is `digest`.
    pub(crate) fn new(base: &'a Rows, digest: StateDigest) -> Self {
        Self { base, put: Rows::default(), dropped: HashSet::new(), digest }
    }

    /// Carries out an operation. None can fail: one that makes no sense changes nothing.
    pub(crate) fn execute(&mut self, operation: Operation) {
        match operation {
            Operation::PutOrganization { state } => self.put_organization(state),
            Operation::DropAll {} => self.drop_all(),
            Operation::DropPrincipal { id } => {
                self.drop_hanging(|rows| rows.hanging_on_principal(id));
                self.drop_row(&RowKey::Principal(id));
            }
            Operation::DropRole { role } => {
                self.drop_hanging(|rows| rows.hanging_on_role(&role));
                self.drop_row(&RowKey::Role(role));
            }
            Operation::DropBinding { team, member } => self.drop_row(&RowKey::Binding { team, member }),
            Operation::DropGrant { id } => self.drop_row(&RowKey::Grant(id)),
            Operation::DropToken { id } => self.drop_row(&RowKey::Token(id)),
            Operation::DropCondition { id } => self.drop_row(&RowKey::Condition(id)),
            Operation::PutEntity { entity_type, id, parent_type, parent_id } => {
                self.put_entity(EntityKey { entity_type, id }, parent_type, parent_id);
            }
            Operation::DropEntity { entity_type, id } => self.bury(EntityKey { entity_type, id }),
            put => {
                if let Some(row) = row_of(put).filter(Row::is_storable) {
                    self.put_row(row);
                }
            }
        }
    }

    /// The organization's state as it would be.
    pub(crate) fn organization(&self) -> Option<OrganizationState> {
        self.put.organization().or_else(|| self.base.organization())
    }

    /// The state digest as it would be.
    pub(crate) fn digest(&self) -> StateDigest {
        self.digest
    }

    /// The rows to put and the keys to drop; no key is in both.
    pub(crate) fn into_changes(self) -> (Vec<Row>, Vec<RowKey>) {
        (self.put.iter().collect(), self.dropped.into_iter().collect())
    }

    /// A deleted organization stays deleted.
    fn put_organization(&mut self, state: OrganizationState) {
        if self.organization() != Some(OrganizationState::Deleted) {
            self.put_row(Row::Organization(state));
        }
    }

    fn drop_all(&mut self) {
        self.drop_hanging(|rows| rows.keys().filter(|key| *key != RowKey::Organization).collect());
    }

    /// What may not be announced changes nothing: authorization has refused it before.
    fn put_entity(&mut self, key: EntityKey, parent_type: Option<String>, parent_id: Option<String>) {
        let parent = match (parent_type, parent_id) {
            (Some(entity_type), Some(id)) => Some(EntityKey { entity_type, id }),
            (None, None) => None,
            _ => return,
        };
        if admit(|key| self.entity(key), &key, parent.as_ref()) == Ok(Admission::Changes) {
            self.put_row(Row::Entity(Entity { key, parent }));
        }
    }

    /// Puts tombstones in the place of an entity and its descendants.
    fn bury(&mut self, key: EntityKey) {
        let mut doomed = vec![RowKey::Entity(key)];
        while let Some(RowKey::Entity(key)) = doomed.pop() {
            if matches!(self.entity(&key), Some(Announced::Live { .. })) {
                doomed.extend(self.visible(|rows| rows.children_of(&key)));
                self.put_row(Row::Tombstone(key));
            }
        }
    }

    fn put_row(&mut self, row: Row) {
        let key = row.key();
        if let Some(old) = self.row(&key) {
            if old == row {
                return;
            }
            self.digest.subtract(&old.hash());
        }
        self.digest.add(&row.hash());
        self.dropped.remove(&key);
        self.put.put(row);
    }

    fn drop_row(&mut self, key: &RowKey) {
        let Some(old) = self.row(key) else { return };
        self.digest.subtract(&old.hash());
        self.put.remove(key);
        if self.base.contains(key) {
            self.dropped.insert(key.clone());
        }
    }

    fn drop_hanging(&mut self, select: impl Fn(&Rows) -> Vec<RowKey>) {
        for key in self.visible(select) {
            self.drop_row(&key);
        }
    }

    /// The selected keys as they are by now: those below that were not touched, and those put.
    fn visible(&self, select: impl Fn(&Rows) -> Vec<RowKey>) -> Vec<RowKey> {
        let mut keys = select(self.base);
        keys.retain(|key| !self.dropped.contains(key) && !self.put.contains(key));
        keys.extend(select(&self.put));
        keys
    }

    fn row(&self, key: &RowKey) -> Option<Row> {
        self.put.get(key).or_else(|| if self.dropped.contains(key) { None } else { self.base.get(key) })
    }

    fn entity(&self, key: &EntityKey) -> Option<Announced> {
        match self.row(&RowKey::Entity(key.clone()))? {
            Row::Entity(row) => Some(Announced::Live { parent: row.parent }),
            _ => Some(Announced::Deleted),
        }
    }
}

/// The row of an operation that puts one as it is.
fn row_of(operation: Operation) -> Option<Row> {
    match operation {
        Operation::PutPrincipal { id, kind, active } => Some(Row::Principal(Principal { id, kind, active })),
        Operation::PutBinding { team, member, valid_from, valid_until } => {
            Some(Row::Binding(Binding { team, member, validity: Validity { from: valid_from, until: valid_until } }))
        }
        Operation::PutRole { role, entity_type, actions, covers_children } => {
            Some(Row::Role(Role::new(role, entity_type, actions, covers_children)))
        }
        Operation::PutGrant {
            id,
            principal,
            role,
            entity_type,
            entity_id,
            region,
            valid_from,
            valid_until,
            condition,
        } => {
            let validity = Validity { from: valid_from, until: valid_until };
            Some(Row::Grant(Grant { id, principal, role, entity_type, entity_id, region, validity, condition }))
        }
        Operation::PutToken { id, hash, principal, kind, expires_at } => {
            Some(Row::Token(Token { id, hash, principal, kind, expires_at }))
        }
        Operation::PutCondition { id, effect, cedar_json } => {
            Some(Row::Condition(Condition { id, effect, cedar_json }))
        }
        Operation::PutOrganization { .. }
        | Operation::DropAll {}
        | Operation::DropPrincipal { .. }
        | Operation::DropBinding { .. }
        | Operation::DropRole { .. }
        | Operation::DropGrant { .. }
        | Operation::DropToken { .. }
        | Operation::DropCondition { .. }
        | Operation::PutEntity { .. }
        | Operation::DropEntity { .. } => None,
    }
}

#[cfg(test)]
mod tests;
