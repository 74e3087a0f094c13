use uuid::Uuid;
use writ_contract::Timestamp;

use super::*;

fn event(kind: EntityEventKind) -> EntityEvent {
    EntityEvent {
        kind,
        organization: Uuid::from_u128(1),
        entity_type: "control_planes".into(),
        entity_id: "cp-1".into(),
        parent_type: None,
        parent_id: None,
        occurred_at: Timestamp(1),
    }
}

#[test]
fn the_first_announcement_of_an_organization_needs_no_chain() {
    let put = Operation::PutEntity {
        entity_type: "control_planes".into(),
        id: "cp-1".into(),
        parent_type: None,
        parent_id: None,
    };
    assert_eq!(operations(None, &event(EntityEventKind::Created)), Ok(vec![put]));
    assert_eq!(operations(None, &event(EntityEventKind::Deleted)), Err(Refusal::UnknownEntity));
}

#[test]
fn names_of_another_form_are_refused() {
    for id in ["", "white space", "ünï", "a/b", &"x".repeat(129)] {
        let bad = EntityEvent { entity_id: id.to_owned(), ..event(EntityEventKind::Created) };
        assert_eq!(operations(None, &bad), Err(Refusal::InvalidEntityId), "{id}");
    }
    for entity_type in ["", "Control", "1st", "a-b", &"x".repeat(65)] {
        let bad = EntityEvent { entity_type: entity_type.to_owned(), ..event(EntityEventKind::Created) };
        assert_eq!(operations(None, &bad), Err(Refusal::InvalidEntityType), "{entity_type}");
    }
}

#[test]
fn half_a_parent_is_an_unknown_one() {
    let half = EntityEvent { parent_type: Some("control_planes".into()), ..event(EntityEventKind::Created) };
    assert_eq!(operations(None, &half), Err(Refusal::UnknownParent));
    let half = EntityEvent { parent_id: Some("cp-0".into()), ..event(EntityEventKind::Created) };
    assert_eq!(operations(None, &half), Err(Refusal::UnknownParent));
}
