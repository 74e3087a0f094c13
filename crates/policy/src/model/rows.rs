//! Operations on a vector of rows.

use writ_contract::policy_change::Operation;
use writ_contract::row::{Entity, EntityKey, OrganizationState};
use writ_contract::{Hash, PrincipalId};

use crate::Row;

/// The rows after some operations on none.
pub(crate) fn replay(operations: impl IntoIterator<Item = Operation>) -> Vec<Row> {
    let mut rows = Vec::new();
    operations.into_iter().for_each(|operation| execute(&mut rows, operation));
    rows
}

/// Sum of the rows' hashes, one byte at a time.
pub(crate) fn sum(rows: &[Row]) -> Hash {
    let mut sum = [0_u8; 32];
    for row in rows {
        let hash = Hash::of(&[&row.canonical()]).0;
        let mut carry = 0_u16;
        for place in (0..32).rev() {
            let digit = u16::from(sum[place]) + u16::from(hash[place]) + carry;
            sum[place] = (digit % 256) as u8;
            carry = digit / 256;
        }
    }
    Hash(sum)
}

fn execute(rows: &mut Vec<Row>, operation: Operation) {
    match operation {
        Operation::PutOrganization { state } => {
            if !rows.contains(&Row::Organization(OrganizationState::Deleted)) {
                put(rows, Row::Organization(state));
            }
        }
        Operation::DropAll {} => rows.retain(|row| matches!(row, Row::Organization(_))),
        Operation::PutPrincipal(principal) => put(rows, Row::Principal(principal)),
        Operation::DropPrincipal { id } => rows.retain(|row| match row {
            Row::Principal(row) => row.id != id,
            Row::Membership(row) => PrincipalId::from(row.team) != id && row.member != id,
            Row::Grant(row) => row.principal != id,
            Row::Token(row) => row.principal != id,
            _ => true,
        }),
        Operation::PutMembership(membership) => put(rows, Row::Membership(membership)),
        Operation::DropMembership { team, member } => {
            rows.retain(|row| !matches!(row, Row::Membership(row) if row.team == team && row.member == member));
        }
        Operation::PutRole(role) => put(rows, Row::Role(role)),
        Operation::DropRole { key } => rows.retain(|row| match row {
            Row::Role(row) => row.key != key,
            Row::Grant(row) => row.role != key,
            _ => true,
        }),
        Operation::PutGrant(grant) => put(rows, Row::Grant(grant)),
        Operation::DropGrant { id } => rows.retain(|row| !matches!(row, Row::Grant(row) if row.id == id)),
        Operation::PutToken(token) => put(rows, Row::Token(token)),
        Operation::DropToken { id } => rows.retain(|row| !matches!(row, Row::Token(row) if row.id == id)),
        Operation::PutCondition(condition) => put(rows, Row::Condition(condition)),
        Operation::DropCondition { id } => rows.retain(|row| !matches!(row, Row::Condition(row) if row.id == id)),
        Operation::PutEntity(entity) => put_entity(rows, entity),
        Operation::DropEntity(key) => drop_entity(rows, &key),
    }
}

fn put(rows: &mut Vec<Row>, row: Row) {
    rows.retain(|other| other.key() != row.key());
    rows.push(row);
}

/// The living entity with a key.
pub(crate) fn entity<'a>(rows: &'a [Row], key: &EntityKey) -> Option<&'a Entity> {
    rows.iter().find_map(|row| match row {
        Row::Entity(row) if row.key == *key => Some(row),
        _ => None,
    })
}

fn put_entity(rows: &mut Vec<Row>, new: Entity) {
    if entity(rows, &new.key).is_some() || rows.contains(&Row::Tombstone(new.key.clone())) {
        return;
    }
    let mut levels = 1;
    let mut above = new.parent.clone();
    while let Some(key) = above {
        let Some(found) = entity(rows, &key) else { return };
        levels += 1;
        above = found.parent.clone();
    }
    if levels <= 8 {
        rows.push(Row::Entity(new));
    }
}

fn drop_entity(rows: &mut Vec<Row>, key: &EntityKey) {
    if entity(rows, key).is_none() {
        return;
    }
    put(rows, Row::Tombstone(key.clone()));
    let children: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Entity(row) if row.parent.as_ref() == Some(key) => Some(row.key.clone()),
            _ => None,
        })
        .collect();
    children.iter().for_each(|child| drop_entity(rows, child));
}
