//! Cascades within one change set, and operations that change nothing.

use writ_contract::row::{PrincipalKind, TokenKind};
use writ_contract::{Hash, PrincipalId, TeamId};

use super::*;
use crate::testing::{self, grant_id, principal_id, put_membership, team_id, token_id};

const ADA: PrincipalId = principal_id(1);
const TEAM: TeamId = team_id(2);
const TEAM_PRINCIPAL: PrincipalId = principal_id(2);

fn role(key: &str) -> Operation {
    Operation::PutRole(testing::role(key, &["view"], &[]))
}

fn grant(id: u128, principal: PrincipalId, role: &str) -> Operation {
    Operation::PutGrant(testing::grant(grant_id(id), principal, role, None, None))
}

fn principal(id: PrincipalId) -> Operation {
    testing::put_principal(id, PrincipalKind::User, true)
}

fn membership() -> Operation {
    put_membership(TEAM, ADA, None, None)
}

fn token(id: u128, principal: PrincipalId) -> Operation {
    let hash = Hash::of(&[&id.to_be_bytes()]);
    Operation::PutToken(testing::token(token_id(id), hash, principal, TokenKind::Personal, 1))
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
    let base = rows(vec![
        principal(ADA),
        principal(TEAM_PRINCIPAL),
        membership(),
        grant(10, ADA, "r"),
        grant(11, TEAM_PRINCIPAL, "r"),
    ]);
    let ops = vec![token(20, ADA), grant(12, ADA, "r"), Operation::DropPrincipal { id: ADA }];
    let (put, dropped) = run(&base, ops);
    assert!(put.is_empty(), "{put:?}");
    let expected =
        [RowKey::Principal(ADA), RowKey::Membership { team: TEAM, member: ADA }, RowKey::Grant(grant_id(10))];
    assert_eq!(dropped, expected);
}

#[test]
fn what_was_moved_to_another_principal_stays() {
    let base = rows(vec![principal(ADA), grant(10, ADA, "r")]);
    let (put, dropped) = run(&base, vec![grant(10, TEAM_PRINCIPAL, "r"), Operation::DropPrincipal { id: ADA }]);
    assert_eq!(put.len(), 1);
    assert_eq!(dropped, [RowKey::Principal(ADA)]);
}

#[test]
fn grants_of_an_unknown_principal_or_role_go_with_it() {
    let base = rows(vec![grant(10, ADA, "r"), grant(11, TEAM_PRINCIPAL, "s")]);
    let ops = vec![Operation::DropPrincipal { id: ADA }, Operation::DropRole { key: "s".parse().unwrap() }];
    let (put, dropped) = run(&base, ops);
    assert!(put.is_empty());
    assert_eq!(dropped, [RowKey::Grant(grant_id(10)), RowKey::Grant(grant_id(11))]);
}

#[test]
fn the_same_again_changes_nothing() {
    let base = rows(vec![principal(ADA), role("r"), grant(10, ADA, "r")]);
    let nothing = (Vec::new(), Vec::new());
    assert_eq!(run(&base, vec![principal(ADA), role("r"), grant(10, ADA, "r")]), nothing);
    assert_eq!(run(&base, vec![Operation::DropGrant { id: grant_id(1) }, membership_drop()]), nothing);
}

fn membership_drop() -> Operation {
    Operation::DropMembership { team: TEAM, member: ADA }
}

/// The work is in proportion to the operations and the rows, not to their product.
#[test]
fn a_repeated_operation_visits_no_row_again() {
    const ROWS: u32 = 1_000;
    let member = |number: u32| principal_id(1_000 + u128::from(number));
    let principals = (0..ROWS).flat_map(|number| [principal(member(number)), token(number.into(), TEAM_PRINCIPAL)]);
    let base = rows(principals.chain([principal(TEAM_PRINCIPAL), role("r")]).collect());
    for repeated in [
        Operation::DropAll {},
        Operation::DropPrincipal { id: TEAM_PRINCIPAL },
        Operation::DropRole { key: "r".parse().unwrap() },
    ] {
        let mut draft = Draft::new(&base, StateDigest::of(base.iter().map(|row| row.hash())));
        for _ in 0..ROWS {
            draft.execute(repeated.clone());
            draft.execute(principal(TEAM_PRINCIPAL));
        }
        assert!(draft.visited <= 5 * ROWS as usize, "{repeated:?}: {}", draft.visited);
    }
}
