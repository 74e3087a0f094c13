//! The bytes are a contract between regions and builds: they must not change unnoticed.

use uuid::Uuid;
use writ_contract::row::{Condition, Entity, Membership, Principal};

use super::*;
use crate::RowKey;
use crate::digest::StateDigest;
use crate::testing::{entity_key, grant, grant_id, principal_id, role, team_id, token, token_id, validity};

fn one_of_each() -> Vec<Row> {
    let condition = ConditionId::from_uuid(Uuid::from_u128(4));
    let validity = validity(Some(1), None);
    let key = entity_key("planes", "p");
    let hash = Hash::of(&[b"token"]);
    vec![
        Row::Organization(OrganizationState::Active),
        Row::Principal(Principal { id: principal_id(1), kind: PrincipalKind::Team, active: true }),
        Row::Membership(Membership { team: team_id(1), member: principal_id(2), validity }),
        Row::Role(role("r", &["view", "edit", "view"], &["routes"])),
        Row::Grant(Grant {
            validity,
            condition: Some(condition),
            ..grant(grant_id(3), principal_id(1), "r", Some("p"), None)
        }),
        Row::Token(token(token_id(5), hash, principal_id(2), TokenKind::Personal, 2)),
        Row::Condition(Condition { id: condition, effect: Effect::When, cedar_json: "{}".parse().unwrap() }),
        Row::Entity(Entity { key, parent: Some(entity_key("planes", "q")) }),
        Row::Tombstone(entity_key("planes", "gone")),
    ]
}

#[test]
fn bytes_are_kind_version_and_fields() {
    let rows = one_of_each();
    assert_eq!(rows[0].canonical(), [1, 1, 1]);
    let mut principal = vec![2, 1];
    principal.extend([0; 15].into_iter().chain([1, 2, 1]));
    assert_eq!(rows[1].canonical(), principal);
    let mut tombstone = vec![9, 1, 0, 0, 0, 0, 0, 0, 0, 6];
    tombstone.extend(b"planes\0\0\0\0\0\0\0\x04gone");
    assert_eq!(rows[8].canonical(), tombstone);
}

#[test]
fn the_state_of_one_row_of_each_kind_has_this_digest() {
    let digest = StateDigest::of(one_of_each().iter().map(Row::hash));
    assert_eq!(Hash::from(digest).to_string(), "5aecb125cb4b1d96fd42e29504ac969639b13f9c85fa4a76a355dae0860c3707");
}

#[test]
fn texts_cannot_run_into_each_other() {
    let entity = |entity_type: &str, id: &str| Row::Tombstone(entity_key(entity_type, id)).canonical();
    assert_ne!(entity("ab", "c"), entity("a", "bc"));
    let role = |actions: &[&str], covers: &[&str]| Row::Role(role("r", actions, covers)).canonical();
    assert_ne!(role(&["a", "b"], &[]), role(&["a"], &["b"]));
    assert_eq!(role(&["b", "a", "b"], &[]), role(&["a", "b"], &[]));
}

#[test]
fn an_entity_and_its_tombstone_have_one_key() {
    let key = entity_key("planes", "p");
    let entity = Row::Entity(Entity { key: key.clone(), parent: None });
    assert_eq!(entity.key(), RowKey::Entity(key.clone()));
    assert_eq!(Row::Tombstone(key).key(), entity.key());
}
