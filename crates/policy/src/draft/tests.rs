//! Cascades within one change set, and operations that change nothing.

use uuid::Uuid;
use writ_contract::Hash;
use writ_contract::Timestamp;
use writ_contract::identity_event::TokenKind;
use writ_contract::policy_change::PrincipalKind;

use super::*;

const ADA: Uuid = Uuid::from_u128(1);
const TEAM: Uuid = Uuid::from_u128(2);

fn role(role: &str) -> Operation {
    Operation::PutRole {
        role: role.to_owned(),
        entity_type: "planes".to_owned(),
        actions: vec!["view".to_owned()],
        covers_children: Vec::new(),
    }
}

fn grant(id: u128, principal: Uuid, role: &str) -> Operation {
    Operation::PutGrant {
        id: Uuid::from_u128(id),
        principal,
        role: role.to_owned(),
        entity_type: "planes".to_owned(),
        entity_id: None,
        region: None,
        valid_from: None,
        valid_until: None,
        condition: None,
    }
}

fn principal(id: Uuid) -> Operation {
    Operation::PutPrincipal { id, kind: PrincipalKind::User, active: true }
}

fn binding(team: Uuid, member: Uuid) -> Operation {
    Operation::PutBinding { team, member, valid_from: None, valid_until: None }
}

fn token(id: u128, principal: Uuid) -> Operation {
    let hash = Hash::of(&[&id.to_be_bytes()]);
    Operation::PutToken {
        id: Uuid::from_u128(id),
        hash,
        principal,
        kind: TokenKind::Personal,
        expires_at: Timestamp(1),
    }
}

fn run(base: &Rows, ops: Vec<Operation>) -> (Vec<Row>, Vec<RowKey>) {
    let before = StateDigest::of(base.iter().map(|row| row.hash()));
    let mut draft = Draft::new(base, before);
    ops.into_iter().for_each(|op| draft.execute(op));
    let digest = draft.digest();
    let (put, mut dropped) = draft.into_changes();
    let mut after = base.clone();
    dropped.iter().for_each(|key| drop(after.remove(key)));
    put.iter().for_each(|row| drop(after.put(row.clone())));
    assert_eq!(digest, StateDigest::of(after.iter().map(|row| row.hash())));
    dropped.sort();
    (put, dropped)
}

fn rows(ops: Vec<Operation>) -> Rows {
    let empty = Rows::default();
    let mut rows = Rows::default();
    run(&empty, ops).0.into_iter().for_each(|row| drop(rows.put(row)));
    rows
}

#[test]
fn a_principal_takes_all_that_hangs_on_it_whether_old_or_new() {
    let base =
        rows(vec![principal(ADA), principal(TEAM), binding(TEAM, ADA), grant(10, ADA, "r"), grant(11, TEAM, "r")]);
    let ops = vec![token(20, ADA), grant(12, ADA, "r"), Operation::DropPrincipal { id: ADA }];
    let (put, dropped) = run(&base, ops);
    assert!(put.is_empty(), "{put:?}");
    let expected =
        [RowKey::Principal(ADA), RowKey::Binding { team: TEAM, member: ADA }, RowKey::Grant(Uuid::from_u128(10))];
    assert_eq!(dropped, expected);
}

#[test]
fn what_was_moved_to_another_principal_stays() {
    let base = rows(vec![principal(ADA), grant(10, ADA, "r")]);
    let (put, dropped) = run(&base, vec![grant(10, TEAM, "r"), Operation::DropPrincipal { id: ADA }]);
    assert_eq!(put.len(), 1);
    assert_eq!(dropped, [RowKey::Principal(ADA)]);
}

#[test]
fn grants_of_an_unknown_principal_or_role_go_with_it() {
    let base = rows(vec![grant(10, ADA, "r"), grant(11, TEAM, "s")]);
    let ops = vec![Operation::DropPrincipal { id: ADA }, Operation::DropRole { role: "s".to_owned() }];
    let (put, dropped) = run(&base, ops);
    assert!(put.is_empty());
    assert_eq!(dropped, [RowKey::Grant(Uuid::from_u128(10)), RowKey::Grant(Uuid::from_u128(11))]);
}

#[test]
fn the_same_again_changes_nothing() {
    let base = rows(vec![principal(ADA), role("r"), grant(10, ADA, "r")]);
    let nothing = (Vec::new(), Vec::new());
    assert_eq!(run(&base, vec![principal(ADA), role("r"), grant(10, ADA, "r")]), nothing);
    assert_eq!(run(&base, vec![Operation::DropGrant { id: ADA }, binding_drop()]), nothing);
}

fn binding_drop() -> Operation {
    Operation::DropBinding { team: TEAM, member: ADA }
}

#[test]
fn what_no_store_could_hold_is_not_put() {
    let empty = Rows::default();
    let condition = Operation::PutCondition {
        id: ADA,
        effect: writ_contract::identity_event::Effect::When,
        cedar_json: "\0".to_owned(),
    };
    for op in [role("a\0b"), role(&"r".repeat(257)), grant(1, ADA, "a\nb"), condition] {
        assert_eq!(run(&empty, vec![op.clone()]), (Vec::new(), Vec::new()), "{op:?}");
    }
    assert_eq!(run(&empty, vec![role(&"r".repeat(256))]).0.len(), 1);
}

#[test]
fn an_entity_with_half_a_parent_is_not_put() {
    let half = Operation::PutEntity {
        entity_type: "planes".to_owned(),
        id: "p".to_owned(),
        parent_type: None,
        parent_id: Some("q".to_owned()),
    };
    assert_eq!(run(&Rows::default(), vec![half]), (Vec::new(), Vec::new()));
}
