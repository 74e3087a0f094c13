//! Operations carried out beside a chain's rows, which stay as they are until the outcome is
//! known to be right.

use std::collections::HashSet;

use writ_contract::policy_change::Operation;
use writ_contract::row::{Entity, EntityKey, OrganizationState};

use crate::admit::{Admission, admit};
use crate::digest::StateDigest;
use crate::row::{Row, RowKey};
use crate::rows::{Announced, Rows};

/// What some operations make of the rows below.
pub(crate) struct Draft<'a> {
    base: &'a Rows,
    put: Rows,
    dropped: HashSet<RowKey>,
    /// Rows whose hanging rows in the base are dropped, or put again: they need not be looked for twice. However often an
    /// operation is repeated, each row of the base is thus visited once for each row that it hangs on.
    swept: HashSet<RowKey>,
    /// The same of all rows but the organization's.
    all_swept: bool,
    digest: StateDigest,
    /// Rows visited, which is the work done.
    #[cfg(test)]
    visited: usize,
}

impl<'a> Draft<'a> {
    /// No change yet to rows whose state digest is `digest`.
    pub(crate) fn new(base: &'a Rows, digest: StateDigest) -> Self {
        Self {
            base,
            put: Rows::default(),
            dropped: HashSet::new(),
            swept: HashSet::new(),
            all_swept: false,
            digest,
            #[cfg(test)]
            visited: 0,
        }
    }

    /// Carries out an operation. None can fail: one that makes no sense changes nothing.
    pub(crate) fn execute(&mut self, operation: Operation) {
        match operation {
            Operation::PutOrganization { state } => self.put_organization(state),
            Operation::DropAll {} => self.drop_all(),
            Operation::PutPrincipal(principal) => self.put_row(Row::Principal(principal)),
            Operation::DropPrincipal { id } => {
                self.drop_hanging(RowKey::Principal(id), |rows| rows.hanging_on_principal(id));
                self.drop_row(&RowKey::Principal(id));
            }
            Operation::PutMembership(membership) => self.put_row(Row::Membership(membership)),
            Operation::DropMembership { team, member } => self.drop_row(&RowKey::Membership { team, member }),
            Operation::PutRole(role) => self.put_row(Row::Role(role)),
            Operation::DropRole { key } => {
                self.drop_hanging(RowKey::Role(key.clone()), |rows| rows.hanging_on_role(&key));
                self.drop_row(&RowKey::Role(key));
            }
            Operation::PutGrant(grant) => self.put_row(Row::Grant(grant)),
            Operation::DropGrant { id } => self.drop_row(&RowKey::Grant(id)),
            Operation::PutToken(token) => self.put_row(Row::Token(token)),
            Operation::DropToken { id } => self.drop_row(&RowKey::Token(id)),
            Operation::PutCondition(condition) => self.put_row(Row::Condition(condition)),
            Operation::DropCondition { id } => self.drop_row(&RowKey::Condition(id)),
            Operation::PutEntity(entity) => self.put_entity(entity),
            Operation::DropEntity(key) => self.bury(key),
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
        let all = |rows: &Rows| rows.keys().filter(|key| *key != RowKey::Organization).collect();
        let keys = self.visible(!self.all_swept, all);
        self.all_swept = true;
        keys.iter().for_each(|key| self.drop_row(key));
    }

    /// What may not be announced changes nothing: authorization has refused it before.
    fn put_entity(&mut self, entity: Entity) {
        if admit(|key| self.entity(key), &entity) == Ok(Admission::Changes) {
            self.put_row(Row::Entity(entity));
        }
    }

    /// Puts tombstones in the place of an entity and its descendants.
    fn bury(&mut self, key: EntityKey) {
        let mut doomed = vec![RowKey::Entity(key)];
        while let Some(RowKey::Entity(key)) = doomed.pop() {
            if matches!(self.entity(&key), Some(Announced::Live { .. })) {
                doomed.extend(self.visible(true, |rows| rows.children_of(&key)));
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

    fn drop_hanging(&mut self, on: RowKey, select: impl Fn(&Rows) -> Vec<RowKey>) {
        let in_base = !self.all_swept && self.swept.insert(on);
        for key in self.visible(in_base, select) {
            self.drop_row(&key);
        }
    }

    /// The selected keys as they are by now: those below that were not touched, if they are to be looked for, and those
    /// put.
    fn visible(&mut self, in_base: bool, select: impl Fn(&Rows) -> Vec<RowKey>) -> Vec<RowKey> {
        let mut keys = if in_base { select(self.base) } else { Vec::new() };
        #[cfg(test)]
        {
            self.visited += keys.len();
        }
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

#[cfg(test)]
mod tests;
