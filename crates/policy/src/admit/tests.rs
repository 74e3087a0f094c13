//! Every refusal has its event, and depth ends at eight.

use writ_contract::policy_change::Operation;
use writ_contract::{Stream, Timestamp};

use super::*;
use crate::seal;
use crate::testing::{entity, entity_key, header, organization};

fn key(id: &str) -> EntityKey {
    entity_key("planes", id)
}

fn plane(id: &str, parent: Option<&str>) -> Entity {
    entity("planes", id, parent.map(|parent| ("planes", parent)))
}

fn chain_after(ops: Vec<Operation>) -> Chain {
    let mut chain = Chain::new(crate::testing::chain(organization(1), "eu", Stream::Entities));
    write(&mut chain, ops);
    chain
}

fn write(chain: &mut Chain, ops: Vec<Operation>) {
    let (_, delta) = seal(chain, header(chain.next(), Timestamp(1)), ops).unwrap();
    chain.commit(&delta);
}

fn put(id: &str, parent: Option<&str>) -> Operation {
    Operation::PutEntity(plane(id, parent))
}

fn drop_of(id: &str) -> Operation {
    Operation::DropEntity(key(id))
}

#[test]
fn events_are_admitted_or_refused_for_a_reason() {
    let chain = chain_after(vec![put("a", None), put("b", Some("a")), put("gone", None), drop_of("gone")]);
    let created = |id: &str, parent: Option<&str>| admit_entity(Some(&chain), &plane(id, parent));
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
    assert_eq!(admit_entity(None, &plane("new", None)), Ok(Admission::Changes));
}

#[test]
fn the_eighth_level_is_the_last() {
    let levels = ["1", "2", "3", "4", "5", "6", "7"];
    let mut ops = vec![put(levels[0], None)];
    ops.extend(levels.windows(2).map(|pair| put(pair[1], Some(pair[0]))));
    let chain = chain_after(ops.clone());
    assert_eq!(admit_entity(Some(&chain), &plane("8", Some("7"))), Ok(Admission::Changes));
    ops.push(put("8", Some("7")));
    let chain = chain_after(ops.clone());
    assert_eq!(admit_entity(Some(&chain), &plane("9", Some("8"))), Err(Refusal::TooDeep));
    ops.push(put("9", Some("8")));
    assert_eq!(chain_after(ops).head().state_digest, chain.head().state_digest, "a change set cannot do it either");
}

#[test]
fn a_deletion_takes_the_descendants_and_is_final() {
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
