//! The tables of rows, each column declared once.

use sqlx::Row as _;
use sqlx::types::Json;
use writ_contract::row::{Condition, Entity, EntityKey, Grant, Membership, Principal, Role, Token, Validity};
use writ_contract::{EntityId, EntityType};
use writ_policy::{Row, RowKey};

use super::table::Table;

/// Describes a table: its name, its key columns and other columns with their SQL types, and the shapes of its keys and
/// rows, in which each column is a name. A shape is a pattern that takes a row apart, and, read as an expression, what
/// puts it together again.
macro_rules! table {
    ($name:literal, ($($key:ident $key_type:ident),*), ($($value:ident $value_type:ident),*), $key_shape:tt, $shape:tt) => {
        table!(
            $name, ($($key $key_type),*), ($($value $value_type),*), $key_shape, $shape,
            through Some, std::convert::identity
        )
    };
    (
        $name:literal, ($($key:ident $key_type:ident),*), ($($value:ident $value_type:ident),*),
        [$($key_shape:tt)*], [$($shape:tt)*], through $of:path, $into:path
    ) => {
        Table {
            name: $name,
            key: &[$((stringify!($key), stringify!($key_type))),*],
            values: &[$((stringify!($value), stringify!($value_type))),*],
            keys: |_keys, _arrays| {
                $(_arrays.add(_keys.iter().filter_map(|(_, key)| taken!(key, $key_type $key, $($key_shape)*)))?;)*
                Ok(())
            },
            rows: |rows, arrays| {
                let rows: Vec<_> = rows.iter().filter_map(|(_, row)| $of(row)).collect();
                $(arrays.add(rows.iter().filter_map(|row| taken!(row, $key_type $key, $($shape)*)))?;)*
                $(arrays.add(rows.iter().filter_map(|row| taken!(row, $value_type $value, $($shape)*)))?;)*
                Ok(())
            },
            read: |row| {
                $(let stored!($key_type $key) = row.try_get(stringify!($key))?;)*
                $(let stored!($value_type $value) = row.try_get(stringify!($value))?;)*
                Ok($into($($shape)*))
            },
            statements: std::sync::OnceLock::new(),
        }
    };
}

/// One column of a row.
macro_rules! taken {
    ($row:ident, $type:ident $column:ident, $($shape:tt)*) => {
        #[allow(unused_variables, unreachable_patterns)]
        match $row {
            $($shape)* => Some(stored!($type $column)),
            _ => None,
        }
    };
}

/// A column as it is stored. Lists are JSON, as `UNNEST` would flatten arrays of arrays.
macro_rules! stored {
    (jsonb $column:ident) => { Json($column) };
    ($type:ident $column:ident) => { $column };
}

static ORGANIZATION: Table =
    table!("organization", (), (state text), [RowKey::Organization], [Row::Organization(state)]);

static PRINCIPAL: Table = table!(
    "principal", (id uuid), (kind text, active bool),
    [RowKey::Principal(id)],
    [Row::Principal(Principal { id, kind, active })]
);

static MEMBERSHIP: Table = table!(
    "membership", (team uuid, member uuid), (valid_from bigint, valid_until bigint),
    [RowKey::Membership { team, member }],
    [Row::Membership(Membership { team, member, validity: Validity { from: valid_from, until: valid_until } })]
);

static ROLE: Table = table!(
    "role", (key text), (entity_type text, actions jsonb, covers_children jsonb),
    [RowKey::Role(key)],
    [Row::Role(Role { key, entity_type, actions, covers_children })]
);

static GRANT: Table = table!(
    "grant", (id uuid),
    (principal uuid, role text, entity_type text, entity_id text, region text, valid_from bigint, valid_until bigint,
     condition uuid),
    [RowKey::Grant(id)],
    [Row::Grant(Grant {
        id, principal, role, entity_type, entity_id, region,
        validity: Validity { from: valid_from, until: valid_until },
        condition,
    })]
);

static TOKEN: Table = table!(
    "token", (id uuid), (hash bytea, principal uuid, kind text, expires_at bigint),
    [RowKey::Token(id)],
    [Row::Token(Token { id, hash, principal, kind, expires_at })]
);

static CONDITION: Table = table!(
    "condition", (id uuid), (effect text, cedar_json text),
    [RowKey::Condition(id)],
    [Row::Condition(Condition { id, effect, cedar_json })]
);

static ENTITY: Table = table!(
    "entity", (entity_type text, entity_id text), (parent_type text, parent_id text, deleted bool),
    [RowKey::Entity(EntityKey { entity_type, entity_id })],
    [StoredEntity { entity_type, entity_id, parent_type, parent_id, deleted }],
    through StoredEntity::of, StoredEntity::into_row
);

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
