//! What policy operations follow from an announced entity.

use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::policy_change::Operation;
use writ_policy::{Admission, Chain, EntityKey, Refusal, admit_deletion, admit_entity};

/// The operations of one entity event on its chain, none if it tells nothing new. No chain:
/// nothing was announced in this region yet.
///
/// # Errors
/// Why the event is refused.
pub fn operations(chain: Option<&Chain>, event: &EntityEvent) -> Result<Vec<Operation>, Refusal> {
    let entity = EntityKey::new(&event.entity_type, &event.entity_id);
    let (admission, operation) = match event.kind {
        EntityEventKind::Created => {
            let parent = parent(event)?;
            (admit_entity(chain, &entity, parent.as_ref())?, put(entity, parent))
        }
        EntityEventKind::Deleted => (admit_deletion(chain, &entity)?, drop(entity)),
    };
    Ok(match admission {
        Admission::Changes => vec![operation],
        Admission::Unchanged => Vec::new(),
    })
}

/// The parent; half of one is an unknown one.
fn parent(event: &EntityEvent) -> Result<Option<EntityKey>, Refusal> {
    match (&event.parent_type, &event.parent_id) {
        (None, None) => Ok(None),
        (Some(entity_type), Some(id)) => Ok(Some(EntityKey::new(entity_type, id))),
        _ => Err(Refusal::UnknownParent),
    }
}

fn put(entity: EntityKey, parent: Option<EntityKey>) -> Operation {
    let (parent_type, parent_id) = parent.map(|parent| (parent.entity_type, parent.id)).unzip();
    Operation::PutEntity { entity_type: entity.entity_type, id: entity.id, parent_type, parent_id }
}

fn drop(entity: EntityKey) -> Operation {
    Operation::DropEntity { entity_type: entity.entity_type, id: entity.id }
}

#[cfg(test)]
#[path = "entities_tests.rs"]
mod tests;
