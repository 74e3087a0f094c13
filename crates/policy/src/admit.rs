//! Whether an entity may be announced or deleted: checked by authorization before it writes a
//! change set, and again wherever one is applied.

use std::fmt;

use writ_contract::row::{Entity, EntityKey};

use crate::rows::Announced;
use crate::state::Chain;

/// How many levels of entities there may be.
pub const MAX_DEPTH: usize = 8;

/// Why an entity event is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The type is not `[a-z][a-z0-9_]{0,63}`.
    InvalidEntityType,
    /// The id is not `[A-Za-z0-9._:-]{1,128}`.
    InvalidEntityId,
    /// The parent was not announced in this region.
    UnknownParent,
    /// The parent was deleted.
    ParentDeleted,
    /// The entity would lie deeper than [`MAX_DEPTH`] levels.
    TooDeep,
    /// The entity was deleted, which is final.
    EntityDeleted,
    /// The entity exists with another parent.
    ParentDiffers,
    /// The entity to delete was not announced in this region.
    UnknownEntity,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::InvalidEntityType,
        Self::InvalidEntityId,
        Self::UnknownParent,
        Self::ParentDeleted,
        Self::TooDeep,
        Self::EntityDeleted,
        Self::ParentDiffers,
        Self::UnknownEntity,
    ];

    /// Its name on the log and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidEntityType => "invalid_entity_type",
            Self::InvalidEntityId => "invalid_entity_id",
            Self::UnknownParent => "unknown_parent",
            Self::ParentDeleted => "parent_deleted",
            Self::TooDeep => "too_deep",
            Self::EntityDeleted => "entity_deleted",
            Self::ParentDiffers => "parent_differs",
            Self::UnknownEntity => "unknown_entity",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an admitted event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The chain's rows change.
    Changes,
    /// It was so already.
    Unchanged,
}

/// Whether an entity may be announced in a chain; `None`: nothing was announced yet.
///
/// # Errors
/// The reason to refuse it.
pub fn admit_entity(chain: Option<&Chain>, entity: &Entity) -> Result<Admission, Refusal> {
    admit(|key| chain.and_then(|chain| chain.rows().entity(key)).cloned(), entity)
}

/// Whether an entity may be deleted from a chain; `None`: nothing was announced yet.
///
/// # Errors
/// The reason to refuse it.
pub fn admit_deletion(chain: Option<&Chain>, entity: &EntityKey) -> Result<Admission, Refusal> {
    match chain.and_then(|chain| chain.rows().entity(entity)) {
        None => Err(Refusal::UnknownEntity),
        Some(Announced::Deleted) => Ok(Admission::Unchanged),
        Some(Announced::Live { .. }) => Ok(Admission::Changes),
    }
}

/// The rule itself, over anything in which entities can be looked up.
pub(crate) fn admit(lookup: impl Fn(&EntityKey) -> Option<Announced>, entity: &Entity) -> Result<Admission, Refusal> {
    match lookup(&entity.key) {
        Some(Announced::Deleted) => Err(Refusal::EntityDeleted),
        Some(Announced::Live { parent }) if parent == entity.parent => Ok(Admission::Unchanged),
        Some(Announced::Live { .. }) => Err(Refusal::ParentDiffers),
        None => {
            entity.parent.as_ref().map_or(Ok(()), |parent| check_parent(lookup, parent)).map(|()| Admission::Changes)
        }
    }
}

/// The parent and all above it live, and there is room for one more level.
fn check_parent(lookup: impl Fn(&EntityKey) -> Option<Announced>, parent: &EntityKey) -> Result<(), Refusal> {
    let mut above = Some(parent.clone());
    let mut depth = 1;
    while let Some(key) = above {
        above = match lookup(&key) {
            None => return Err(Refusal::UnknownParent),
            Some(Announced::Deleted) => return Err(Refusal::ParentDeleted),
            Some(Announced::Live { parent }) => parent,
        };
        depth += 1;
        if depth > MAX_DEPTH {
            return Err(Refusal::TooDeep);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
