//! Every refusal has its event, and depth ends at eight.

use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::policy_change::Operation;
use writ_contract::{ChainId, Stream, Timestamp};

use super::*;
use crate::{Header, seal};

fn key(id: &str) -> EntityKey {
    EntityKey::new("control_planes", id)
}

fn chain_after(ops: Vec<Operation>) -> Chain {
    let id = ChainId { organization: Uuid::from_u128(1), origin: "eu".to_owned(), stream: Stream::Entities };
    let mut chain = Chain::new(id);
    write(&mut chain, ops);
    chain
}

fn write(chain: &mut Chain, ops: Vec<Operation>) {
    let (position, committed_at) = (chain.next(), Timestamp(1));
    let actor = Actor::system("test");
    let header = Header { position, committed_at, actor, cause: None, request_id: None, rejected: None };
    let (_, delta) = seal(chain, header, ops).unwrap();
    chain.commit(&delta);
}

fn put(id: &str, parent: Option<&str>) -> Operation {
    Operation::PutEntity {
        entity_type: "control_planes".to_owned(),
        id: id.to_owned(),
        parent_type: parent.map(|_| "control_planes".to_owned()),
        parent_id: parent.map(str::to_owned),
    }
}

fn drop_of(id: &str) -> Operation {
    Operation::DropEntity { entity_type: "control_planes".to_owned(), id: id.to_owned() }
}

#[test]
fn events_are_admitted_or_refused_for_a_reason() {
    let chain = chain_after(vec![put("a", None), put("b", Some("a")), put("gone", None), drop_of("gone")]);
    let created = |id: &str, parent: Option<&str>| admit_entity(Some(&chain), &key(id), parent.map(key).as_ref());
    assert_eq!(created("new", None), Ok(Admission::Changes));
    assert_eq!(created("new", Some("b")), Ok(Admission::Changes));
    assert_eq!(created("b", Some("a")), Ok(Admission::Unchanged));
    assert_eq!(created("b", None), Err(Refusal::ParentDiffers));
    assert_eq!(created("new", Some("nowhere")), Err(Refusal::UnknownParent));
    assert_eq!(created("new", Some("new")), Err(Refusal::UnknownParent));
    assert_eq!(created("new", Some("gone")), Err(Refusal::ParentDeleted));
    assert_eq!(created("gone", None), Err(Refusal::EntityDeleted));
    assert_eq!(admit_deletion(Some(&chain), &key("a")), Ok(Admission::Changes));
    assert_eq!(admit_deletion(Some(&chain), &key("gone")), Ok(Admission::Unchanged));
    assert_eq!(admit_deletion(Some(&chain), &key("new")), Err(Refusal::UnknownEntity));
    assert_eq!(admit_deletion(None, &key("new")), Err(Refusal::UnknownEntity));
    assert_eq!(admit_entity(None, &key("new"), None), Ok(Admission::Changes));
}

#[test]
fn ids_and_types_are_plain() {
    let id = |id: &str| admit_entity(None, &key(id), None);
    assert_eq!(id("A-z_0.9:x"), Ok(Admission::Changes));
    assert_eq!(id(&"a".repeat(128)), Ok(Admission::Changes));
    for bad in ["", "*", "a b", "a/b", "é", &"a".repeat(129)] {
        assert_eq!(id(bad), Err(Refusal::InvalidEntityId), "{bad}");
    }
    for bad in ["", "Control", "1st", "a-b", &"a".repeat(65)] {
        assert_eq!(admit_entity(None, &EntityKey::new(bad, "a"), None), Err(Refusal::InvalidEntityType), "{bad}");
    }
    assert_eq!(admit_entity(None, &key("a"), Some(&key("*"))), Err(Refusal::InvalidEntityId));
}

#[test]
fn the_eighth_level_is_the_last() {
    let levels = ["1", "2", "3", "4", "5", "6", "7"];
    let mut ops = vec![put(levels[0], None)];
    ops.extend(levels.windows(2).map(|pair| put(pair[1], Some(pair[0]))));
    let chain = chain_after(ops.clone());
    assert_eq!(admit_entity(Some(&chain), &key("8"), Some(&key("7"))), Ok(Admission::Changes));
    ops.push(put("8", Some("7")));
    let chain = chain_after(ops.clone());
    assert_eq!(admit_entity(Some(&chain), &key("9"), Some(&key("8"))), Err(Refusal::TooDeep));
    ops.push(put("9", Some("8")));
    assert_eq!(chain_after(ops).head().state_digest, chain.head().state_digest, "a change set cannot do it either");
}

#[test]
fn a_deletion_takes_the_descendants_for_ever() {
    let chain = chain_after(vec![
        put("a", None),
        put("b", Some("a")),
        put("c", Some("b")),
        put("other", None),
        drop_of("a"),
        put("c", None),
        drop_of("unknown"),
    ]);
    for id in ["a", "b", "c"] {
        assert_eq!(chain.rows().entity(&key(id)), Some(&Announced::Deleted), "{id}");
    }
    assert_eq!(chain.rows().entity(&key("other")), Some(&Announced::Live { parent: None }));
    assert_eq!(chain.rows().entity(&key("unknown")), None);
}

#[test]
fn a_former_child_is_not_taken_along() {
    let ops =
        vec![put("a", None), put("b", Some("a")), Operation::DropAll {}, put("a", None), put("b", None), drop_of("a")];
    let chain = chain_after(ops);
    assert_eq!(chain.rows().entity(&key("b")), Some(&Announced::Live { parent: None }));
    let mut stored = chain_after(vec![put("a", None), put("b", Some("a"))]);
    for op in [Operation::DropAll {}, put("a", None), put("b", None), drop_of("a")] {
        write(&mut stored, vec![op]);
    }
    assert_eq!(stored.head().state_digest, chain.head().state_digest);
}
