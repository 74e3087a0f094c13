//! The bytes are a contract between regions and builds: they must not change unnoticed.

use super::*;
use crate::digest::StateDigest;
use crate::{Binding, Condition, Entity, Principal, Role, RowKey, Token};

fn one_of_each() -> Vec<Row> {
    let id = Uuid::from_u128;
    let text = str::to_owned;
    let validity = Validity { from: Some(Timestamp(1)), until: None };
    let key = EntityKey::new("planes", "p");
    vec![
        Row::Organization(OrganizationState::Active),
        Row::Principal(Principal { id: id(1), kind: PrincipalKind::Team, active: true }),
        Row::Binding(Binding { team: id(1), member: id(2), validity }),
        Row::Role(Role::new(
            text("r"),
            text("planes"),
            vec![text("view"), text("edit"), text("view")],
            vec![text("routes")],
        )),
        Row::Grant(Grant {
            id: id(3),
            principal: id(1),
            role: text("r"),
            entity_type: text("planes"),
            entity_id: Some(text("p")),
            region: None,
            validity,
            condition: Some(id(4)),
        }),
        Row::Token(Token {
            id: id(5),
            hash: Hash::of(&[b"token"]),
            principal: id(2),
            kind: TokenKind::Personal,
            expires_at: Timestamp(2),
        }),
        Row::Condition(Condition { id: id(4), effect: Effect::When, cedar_json: text("{}") }),
        Row::Entity(Entity { key: key.clone(), parent: Some(EntityKey::new("planes", "q")) }),
        Row::Tombstone(EntityKey::new("planes", "gone")),
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
    let entity = |entity_type: &str, id: &str| Row::Tombstone(EntityKey::new(entity_type, id)).canonical();
    assert_ne!(entity("ab", "c"), entity("a", "bc"));
    let role = |actions: &[&str], covers: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Row::Role(Role::new(String::new(), String::new(), texts(actions), texts(covers))).canonical()
    };
    assert_ne!(role(&["a", "b"], &[]), role(&["a"], &["b"]));
    assert_eq!(role(&["b", "a", "b"], &[]), role(&["a", "b"], &[]));
}

#[test]
fn an_entity_and_its_tombstone_have_one_key() {
    let key = EntityKey::new("planes", "p");
    let entity = Row::Entity(Entity { key: key.clone(), parent: None });
    assert_eq!(entity.key(), RowKey::Entity(key.clone()));
    assert_eq!(Row::Tombstone(key).key(), entity.key());
}
