//! Operations on a vector of rows.

use writ_contract::Hash;
use writ_contract::identity_event::OrganizationState;
use writ_contract::policy_change::Operation;

use crate::{Binding, Condition, Entity, EntityKey, Grant, Principal, Role, Row, Token, Validity};

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
        Operation::PutPrincipal { id, kind, active } => put(rows, Row::Principal(Principal { id, kind, active })),
        Operation::DropPrincipal { id } => rows.retain(|row| match row {
            Row::Principal(row) => row.id != id,
            Row::Binding(row) => row.team != id && row.member != id,
            Row::Grant(row) => row.principal != id,
            Row::Token(row) => row.principal != id,
            _ => true,
        }),
        Operation::PutBinding { team, member, valid_from, valid_until } => {
            let validity = Validity { from: valid_from, until: valid_until };
            put(rows, Row::Binding(Binding { team, member, validity }));
        }
        Operation::DropBinding { team, member } => {
            rows.retain(|row| !matches!(row, Row::Binding(row) if row.team == team && row.member == member));
        }
        Operation::PutRole { role, entity_type, actions, covers_children } => {
            put(rows, Row::Role(Role::new(role, entity_type, actions, covers_children)));
        }
        Operation::DropRole { role } => rows.retain(|row| match row {
            Row::Role(row) => row.role != role,
            Row::Grant(row) => row.role != role,
            _ => true,
        }),
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
            put(rows, Row::Grant(Grant { id, principal, role, entity_type, entity_id, region, validity, condition }));
        }
        Operation::DropGrant { id } => rows.retain(|row| !matches!(row, Row::Grant(row) if row.id == id)),
        Operation::PutToken { id, hash, principal, kind, expires_at } => {
            put(rows, Row::Token(Token { id, hash, principal, kind, expires_at }));
        }
        Operation::DropToken { id } => rows.retain(|row| !matches!(row, Row::Token(row) if row.id == id)),
        Operation::PutCondition { id, effect, cedar_json } => {
            put(rows, Row::Condition(Condition { id, effect, cedar_json }))
        }
        Operation::DropCondition { id } => rows.retain(|row| !matches!(row, Row::Condition(row) if row.id == id)),
        Operation::PutEntity { entity_type, id, parent_type, parent_id } => {
            put_entity(rows, EntityKey { entity_type, id }, parent_type, parent_id);
        }
        Operation::DropEntity { entity_type, id } => drop_entity(rows, &EntityKey { entity_type, id }),
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

fn put_entity(rows: &mut Vec<Row>, key: EntityKey, parent_type: Option<String>, parent_id: Option<String>) {
    let known = entity(rows, &key).is_some() || rows.contains(&Row::Tombstone(key.clone()));
    if known || parent_type.is_some() != parent_id.is_some() {
        return;
    }
    let parent = parent_type.zip(parent_id).map(|(entity_type, id)| EntityKey { entity_type, id });
    let mut levels = 1;
    let mut above = parent.clone();
    while let Some(key) = above {
        let Some(found) = entity(rows, &key) else { return };
        levels += 1;
        above = found.parent.clone();
    }
    if levels <= 8 {
        rows.push(Row::Entity(Entity { key, parent }));
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
