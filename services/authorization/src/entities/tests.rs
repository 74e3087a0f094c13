use writ_contract::{ChainId, Stream};

use super::*;
use crate::testing::{REGION, entity, organization};

fn event(kind: EntityEventKind) -> EntityEvent {
    entity(organization(1), kind, "cp-1", None)
}

fn outcome(event: &EntityEvent) -> Result<Vec<Operation>, Refusal> {
    let id = ChainId { organization: event.organization, origin: REGION.parse().unwrap(), stream: Stream::Entities };
    EntityChange::of(event).and_then(|change| operations(&Chain::new(id), change))
}

#[test]
fn the_first_announcement_of_an_organization_needs_nothing_before_it() {
    let key = EntityKey { entity_type: "control_planes".parse().unwrap(), entity_id: "cp-1".parse().unwrap() };
    let put = Operation::PutEntity(Entity { key, parent: None });
    assert_eq!(outcome(&event(EntityEventKind::Created)), Ok(vec![put]));
    assert_eq!(outcome(&event(EntityEventKind::Deleted)), Err(Refusal::UnknownEntity));
}

#[test]
fn names_of_another_form_are_refused() {
    for id in ["", "white space", "ünï", "a/b", "a\0b", &"x".repeat(129)] {
        let bad = EntityEvent { entity_id: id.to_owned(), ..event(EntityEventKind::Created) };
        assert_eq!(outcome(&bad), Err(Refusal::InvalidEntityId), "{id}");
        let bad = entity(organization(1), EntityEventKind::Created, "cp-1", Some(id));
        assert_eq!(outcome(&bad), Err(Refusal::InvalidEntityId), "parent {id}");
    }
    for entity_type in ["", "Control", "1st", "a-b", &"x".repeat(65)] {
        let bad = EntityEvent { entity_type: entity_type.to_owned(), ..event(EntityEventKind::Deleted) };
        assert_eq!(outcome(&bad), Err(Refusal::InvalidEntityType), "{entity_type}");
    }
}

#[test]
fn half_a_parent_is_an_unknown_one() {
    let half = EntityEvent { parent_type: Some("control_planes".into()), ..event(EntityEventKind::Created) };
    assert_eq!(outcome(&half), Err(Refusal::UnknownParent));
    let half = EntityEvent { parent_id: Some("cp-0".into()), ..event(EntityEventKind::Created) };
    assert_eq!(outcome(&half), Err(Refusal::UnknownParent));
}
