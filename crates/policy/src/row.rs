//! The rows of a chain: one typed struct a kind, its key, and the bytes it is hashed as.

use std::fmt;

use uuid::Uuid;
use writ_contract::identity_event::{Effect, OrganizationState, TokenKind};
use writ_contract::policy_change::PrincipalKind;
use writ_contract::{Hash, Timestamp};

/// Longest text that names something, in bytes.
const MAX_NAME: usize = 256;

/// When a binding or a grant counts: from `from` on, and before `until`. Nothing: no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validity {
    /// First moment at which it counts.
    pub from: Option<Timestamp>,
    /// First moment at which it does not count any more.
    pub until: Option<Timestamp>,
}

impl Validity {
    /// Whether `now` lies within the bounds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// A user, team or system account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Its id.
    pub id: Uuid,
    /// What it is.
    pub kind: PrincipalKind,
    /// Whether it may act, or, for a team, gives its members anything.
    pub active: bool,
}

/// A principal is in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The team.
    pub team: Uuid,
    /// Who is in it.
    pub member: Uuid,
    /// When.
    pub validity: Validity,
}

/// What may be done with entities of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Key in the catalogue, or the id of an organization's own role.
    pub role: String,
    /// The type of the entities it is given on.
    pub entity_type: String,
    /// Sorted, each once.
    pub actions: Vec<String>,
    /// Types of descendants it reaches; sorted, each once.
    pub covers_children: Vec<String>,
}

impl Role {
    /// A role; the order and repetition of the lists mean nothing.
    pub fn new(role: String, entity_type: String, actions: Vec<String>, covers_children: Vec<String>) -> Self {
        Self { role, entity_type, actions: as_set(actions), covers_children: as_set(covers_children) }
    }

    /// Whether the role lets its holder do `action`.
    pub fn includes(&self, action: &str) -> bool {
        contains(&self.actions, action)
    }

    /// Whether the role, held on an ancestor, reaches entities of a type.
    pub fn covers(&self, entity_type: &str) -> bool {
        contains(&self.covers_children, entity_type)
    }
}

fn as_set(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn contains(sorted: &[String], text: &str) -> bool {
    sorted.binary_search_by(|candidate| candidate.as_str().cmp(text)).is_ok()
}

/// A principal has a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: Uuid,
    /// Who has the role: a user, a team or a system account.
    pub principal: Uuid,
    /// Which role.
    pub role: String,
    /// On entities of this type; a role of another type gives nothing.
    pub entity_type: String,
    /// On this entity; nothing: on every one.
    pub entity_id: Option<String>,
    /// On entities of this region; nothing: of every region.
    pub region: Option<String>,
    /// When.
    pub validity: Validity,
    /// The condition under which it counts.
    pub condition: Option<Uuid>,
}

/// A bearer token, known by its hash alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// SHA-256 of its text.
    pub hash: Hash,
    /// Who it stands for.
    pub principal: Uuid,
    /// What it is for.
    pub kind: TokenKind,
    /// First moment at which it is no longer valid.
    pub expires_at: Timestamp,
}

/// A Cedar condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its id.
    pub id: Uuid,
    /// Forbid for the whole organization, or a `when` of grants.
    pub effect: Effect,
    /// The Cedar policy in its JSON form.
    pub cedar_json: String,
}

/// What names an entity within a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EntityKey {
    /// Key of the catalogue, such as `control_planes`.
    pub entity_type: String,
    /// The id its producer gave it.
    pub id: String,
}

impl EntityKey {
    /// The key of an entity.
    pub fn new(entity_type: impl Into<String>, id: impl Into<String>) -> Self {
        Self { entity_type: entity_type.into(), id: id.into() }
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entity_type, self.id)
    }
}

/// A known regional entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// What names it.
    pub key: EntityKey,
    /// The entity it belongs to; fixed at creation.
    pub parent: Option<EntityKey>,
}

/// One row of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The organization's state.
    Organization(OrganizationState),
    /// A user, team or system account.
    Principal(Principal),
    /// A principal is in a team.
    Binding(Binding),
    /// A role.
    Role(Role),
    /// A principal has a role.
    Grant(Grant),
    /// A bearer token.
    Token(Token),
    /// A condition.
    Condition(Condition),
    /// A regional entity.
    Entity(Entity),
    /// What remains of a deleted entity, so that it is never created again.
    Tombstone(EntityKey),
}

/// What names a row within its chain. An entity and its tombstone have the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// A chain has one such row at most.
    Organization,
    /// By id.
    Principal(Uuid),
    /// By team and member.
    Binding {
        /// The team.
        team: Uuid,
        /// Who is in it.
        member: Uuid,
    },
    /// By key or id.
    Role(String),
    /// By id.
    Grant(Uuid),
    /// By id.
    Token(Uuid),
    /// By id.
    Condition(Uuid),
    /// By type and id.
    Entity(EntityKey),
}

impl Row {
    /// What names the row.
    pub fn key(&self) -> RowKey {
        match self {
            Self::Organization(_) => RowKey::Organization,
            Self::Principal(row) => RowKey::Principal(row.id),
            Self::Binding(row) => RowKey::Binding { team: row.team, member: row.member },
            Self::Role(row) => RowKey::Role(row.role.clone()),
            Self::Grant(row) => RowKey::Grant(row.id),
            Self::Token(row) => RowKey::Token(row.id),
            Self::Condition(row) => RowKey::Condition(row.id),
            Self::Entity(row) => RowKey::Entity(row.key.clone()),
            Self::Tombstone(key) => RowKey::Entity(key.clone()),
        }
    }

    /// Whether every text is one that any store can hold and index: texts that name something
    /// are short and without control characters.
    pub(crate) fn is_storable(&self) -> bool {
        match self {
            Self::Role(row) => {
                let names = [&row.role, &row.entity_type].into_iter();
                names.chain(&row.actions).chain(&row.covers_children).all(|name| is_name(name))
            }
            Self::Grant(row) => {
                let names = [&row.role, &row.entity_type].into_iter();
                names.chain(&row.entity_id).chain(&row.region).all(|name| is_name(name))
            }
            Self::Condition(row) => !row.cedar_json.contains('\0'),
            Self::Organization(_)
            | Self::Principal(_)
            | Self::Binding(_)
            | Self::Token(_)
            | Self::Entity(_)
            | Self::Tombstone(_) => true,
        }
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME && !text.contains(char::is_control)
}
