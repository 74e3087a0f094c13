//! The tables of rows, each column declared once.

use std::sync::OnceLock;

use sqlx::Row as _;
use sqlx::types::Json;
use writ_contract::row::{Condition, Entity, EntityKey, Grant, Membership, Principal, Role, Token, Validity};
use writ_contract::{EntityId, EntityType};
use writ_policy::{Row, RowKey};

use super::table::Table;

/// Describes a table: its key columns and its other columns with their SQL types, and the shapes of its keys and rows,
/// in which each column is a name. A shape is read twice: as the pattern that takes a row apart, and as the expression
/// that puts it together again.
macro_rules! table {
    (
        $table:ident $name:literal: $key_shape:tt of ($($key:ident $key_type:ident),*),
        $shape:tt of ($($value:ident $value_type:ident),*)
    ) => {
        table! {
            $table $name: $key_shape of ($($key $key_type),*), $shape of ($($value $value_type),*),
            through Some, std::convert::identity
        }
    };
    (
        $table:ident $name:literal: $key_shape:tt of ($($key:ident $key_type:ident),*),
        $shape:tt of ($($value:ident $value_type:ident),*), through $take:path, $give:path
    ) => {
        #[allow(unused_variables, unreachable_patterns, reason = "each column is taken on its own")]
        static $table: Table = Table {
            name: $name,
            key: &[$((stringify!($key), stringify!($key_type))),*],
            values: &[$((stringify!($value), stringify!($value_type))),*],
            keys: |keys, arrays| {
                $(arrays.add(keys.iter().filter_map(|(_, key)| column!($key_type $key, key, $key_shape)))?;)*
                Ok(())
            },
            rows: |rows, arrays| {
                let rows: Vec<_> = rows.iter().filter_map(|(_, row)| $take(*row)).collect();
                $(arrays.add(rows.iter().filter_map(|row| column!($key_type $key, row, $shape)))?;)*
                $(arrays.add(rows.iter().filter_map(|row| column!($value_type $value, row, $shape)))?;)*
                Ok(())
            },
            read: |row| {
                $(let stored!($key_type $key) = row.try_get(stringify!($key))?;)*
                $(let stored!($value_type $value) = row.try_get(stringify!($value))?;)*
                Ok($give(expression!($shape)))
            },
            statements: OnceLock::new(),
        };
    };
}

/// One column of a row.
macro_rules! column {
    ($type:ident $column:ident, $row:ident, [$($shape:tt)*]) => {
        match $row {
            $($shape)* => Some(stored!($type $column)),
            _ => None,
        }
    };
}

/// What the columns of a row are put together to.
macro_rules! expression {
    ([$($shape:tt)*]) => { $($shape)* };
}

/// A column as it is stored. Lists are JSON, as `UNNEST` would flatten arrays of arrays.
macro_rules! stored {
    (jsonb $column:ident) => {
        Json($column)
    };
    ($type:ident $column:ident) => {
        $column
    };
}

table! {
    ORGANIZATION "organization": [RowKey::Organization] of (),
    [Row::Organization(state)] of (state text)
}

table! {
    PRINCIPAL "principal": [RowKey::Principal(id)] of (id uuid),
    [Row::Principal(Principal { id, kind, active })] of (kind text, active bool)
}

table! {
    MEMBERSHIP "membership": [RowKey::Membership { team, member }] of (team uuid, member uuid),
    [Row::Membership(Membership { team, member, validity: Validity { from: valid_from, until: valid_until } })]
    of (valid_from bigint, valid_until bigint)
}

table! {
    ROLE "role": [RowKey::Role(key)] of (key text),
    [Row::Role(Role { key, entity_type, actions, covers_children })]
    of (entity_type text, actions jsonb, covers_children jsonb)
}

table! {
    GRANT "grant": [RowKey::Grant(id)] of (id uuid),
    [Row::Grant(Grant {
        id,
        principal,
        role,
        entity_type,
        entity_id,
        region,
        validity: Validity { from: valid_from, until: valid_until },
        condition,
    })]
    of (principal uuid, role text, entity_type text, entity_id text, region text, valid_from bigint, valid_until bigint,
        condition uuid)
}

table! {
    TOKEN "token": [RowKey::Token(id)] of (id uuid),
    [Row::Token(Token { id, hash, principal, kind, expires_at })]
    of (hash bytea, principal uuid, kind text, expires_at bigint)
}

table! {
    CONDITION "condition": [RowKey::Condition(id)] of (id uuid),
    [Row::Condition(Condition { id, effect, cedar_json })] of (effect text, cedar_json text)
}

table! {
    ENTITY "entity": [RowKey::Entity(EntityKey { entity_type, entity_id })] of (entity_type text, entity_id text),
    [StoredEntity { entity_type, entity_id, parent_type, parent_id, deleted }]
    of (parent_type text, parent_id text, deleted bool), through StoredEntity::of, StoredEntity::into_row
}

/// All tables of rows.
pub(super) static TABLES: [&Table; 8] =
    [&ORGANIZATION, &PRINCIPAL, &MEMBERSHIP, &ROLE, &GRANT, &TOKEN, &CONDITION, &ENTITY];

/// Where the row with a key is stored.
pub(super) fn table_of(key: &RowKey) -> &'static Table {
    match key {
        RowKey::Organization => &ORGANIZATION,
        RowKey::Principal(_) => &PRINCIPAL,
        RowKey::Membership { .. } => &MEMBERSHIP,
        RowKey::Role(_) => &ROLE,
        RowKey::Grant(_) => &GRANT,
        RowKey::Token(_) => &TOKEN,
        RowKey::Condition(_) => &CONDITION,
        RowKey::Entity(_) => &ENTITY,
    }
}

/// The columns of an entity, or of what remains of a deleted one.
struct StoredEntity {
    entity_type: EntityType,
    entity_id: EntityId,
    parent_type: Option<EntityType>,
    parent_id: Option<EntityId>,
    deleted: bool,
}

impl StoredEntity {
    /// Of any other row, `None`: it has no place in this table.
    fn of(row: &Row) -> Option<Self> {
        let (key, parent, deleted) = match row {
            Row::Entity(entity) => (&entity.key, entity.parent.as_ref(), false),
            Row::Tombstone(key) => (key, None, true),
            _ => return None,
        };
        let (parent_type, parent_id) = parent.map(|key| (key.entity_type.clone(), key.entity_id.clone())).unzip();
        let EntityKey { entity_type, entity_id } = key.clone();
        Some(Self { entity_type, entity_id, parent_type, parent_id, deleted })
    }

    fn into_row(self) -> Row {
        let Self { entity_type, entity_id, parent_type, parent_id, deleted } = self;
        let key = EntityKey { entity_type, entity_id };
        if deleted {
            return Row::Tombstone(key);
        }
        let parent = parent_type.zip(parent_id).map(|(entity_type, entity_id)| EntityKey { entity_type, entity_id });
        Row::Entity(Entity { key, parent })
    }
}
