//! What policy operations follow from an announced entity.

use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::policy_change::Operation;
use writ_contract::row::{Entity, EntityKey};
use writ_contract::{EntityId, EntityType};
use writ_policy::{Admission, Chain, Refusal, admit_deletion, admit_entity};

/// What an entity event announces, its texts checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityChange {
    /// The entity exists.
    Created(Entity),
    /// The entity and its descendants are gone.
    Deleted(EntityKey),
}

impl EntityChange {
    /// Checks the texts of an event.
    ///
    /// # Errors
    /// The first that is not of its form. Half of a parent is an unknown one.
    pub fn of(event: &EntityEvent) -> Result<Self, Refusal> {
        let key = key(&event.entity_type, &event.entity_id)?;
        Ok(match event.kind {
            EntityEventKind::Created => Self::Created(Entity { key, parent: parent(event)? }),
            EntityEventKind::Deleted => Self::Deleted(key),
        })
    }

    /// Type of the entity.
    pub fn entity_type(&self) -> &EntityType {
        match self {
            Self::Created(entity) => &entity.key.entity_type,
            Self::Deleted(key) => &key.entity_type,
        }
    }
}

fn parent(event: &EntityEvent) -> Result<Option<EntityKey>, Refusal> {
    match (&event.parent_type, &event.parent_id) {
        (None, None) => Ok(None),
        (Some(entity_type), Some(id)) => key(entity_type, id).map(Some),
        _ => Err(Refusal::UnknownParent),
    }
}

fn key(entity_type: &str, id: &str) -> Result<EntityKey, Refusal> {
    let entity_type: EntityType = entity_type.parse().map_err(|_| Refusal::InvalidEntityType)?;
    let entity_id: EntityId = id.parse().map_err(|_| Refusal::InvalidEntityId)?;
    Ok(EntityKey { entity_type, entity_id })
}

/// The operations of a change on its chain, none if it says nothing new.
///
/// # Errors
/// Why the event is refused.
pub fn operations(chain: &Chain, change: EntityChange) -> Result<Vec<Operation>, Refusal> {
    let (admission, operation) = match change {
        EntityChange::Created(entity) => (admit_entity(Some(chain), &entity)?, Operation::PutEntity(entity)),
        EntityChange::Deleted(key) => (admit_deletion(Some(chain), &key)?, Operation::DropEntity(key)),
    };
    Ok(match admission {
        Admission::Changes => vec![operation],
        Admission::Unchanged => Vec::new(),
    })
}

#[cfg(test)]
mod tests;
