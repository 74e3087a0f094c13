use proptest::prelude::*;
use uuid::Uuid;
use writ_contract::catalogue::Catalogue;
use writ_contract::identity_event::{Effect, MemberKind, TokenKind};
use writ_contract::{Hash, Timestamp};

use super::*;

const ID: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn derived(changes: Vec<Change>) -> Vec<Operation> {
    operations(Changes { changes }, Vec::new).ops
}

fn put(kind: PrincipalKind, active: bool) -> Vec<Operation> {
    vec![Operation::PutPrincipal { id: ID, kind, active }]
}

#[test]
fn the_life_of_principals() {
    let cases = [
        (Change::UserInvited { user: ID }, put(PrincipalKind::User, false)),
        (Change::UserActivated { user: ID }, put(PrincipalKind::User, true)),
        (Change::UserStateChanged { user: ID, active: false }, put(PrincipalKind::User, false)),
        (Change::TeamCreated { team: ID, system: true }, put(PrincipalKind::Team, true)),
        (Change::SystemAccountCreated { account: ID, managed: false }, put(PrincipalKind::SystemAccount, true)),
    ];
    for (change, expected) in cases {
        assert_eq!(derived(vec![change]), expected);
    }
    for gone in [
        Change::UserErased { user: ID },
        Change::TeamDeleted { team: ID },
        Change::SystemAccountDeleted { account: ID },
    ] {
        assert_eq!(derived(vec![gone]), vec![Operation::DropPrincipal { id: ID }]);
    }
}

#[test]
fn an_organization_is_created_suspended_and_deleted() {
    let put = |state| vec![Operation::PutOrganization { state }];
    assert_eq!(derived(vec![Change::OrganizationCreated { owner: ID }]), put(OrganizationState::Active));
    let state = OrganizationState::Suspended;
    assert_eq!(derived(vec![Change::OrganizationStateChanged { state }]), put(state));
    let state = OrganizationState::Deleted;
    let deleted = vec![Operation::DropAll {}, Operation::PutOrganization { state }];
    assert_eq!(derived(vec![Change::OrganizationDeleted {}]), deleted);
    assert_eq!(derived(vec![Change::OrganizationStateChanged { state }]), deleted);
}

#[test]
fn memberships_tokens_and_assignments_keep_every_field() {
    let (valid_from, valid_until) = (Some(Timestamp(3)), Some(Timestamp(4)));
    let changes = vec![
        Change::MemberAdded { team: ID, member: OTHER, member_kind: MemberKind::User, valid_from, valid_until },
        Change::MemberRemoved { team: ID, member: OTHER },
        Change::TokenIssued {
            token: ID,
            principal: OTHER,
            kind: TokenKind::Personal,
            hash: Hash::ZERO,
            expires_at: Timestamp(5),
        },
        Change::TokenRevoked { token: ID },
        Change::RoleAssigned {
            assignment: ID,
            principal: OTHER,
            role: "control_planes.viewer".into(),
            entity_type: "control_planes".into(),
            entity_id: Some("cp".into()),
            region: Some("eu".into()),
            valid_from,
            valid_until,
            condition: Some(OTHER),
        },
        Change::RoleUnassigned { assignment: ID },
    ];
    insta::assert_json_snapshot!(derived(changes));
}

#[test]
fn custom_roles_and_conditions() {
    let changes = vec![
        Change::CustomRoleDefined { role: ID, entity_type: "routes".into(), actions: vec!["view".into()] },
        Change::CustomRoleDeleted { role: ID },
        Change::ConditionSet { condition: ID, effect: Effect::Forbid, cedar_json: "{}".into() },
        Change::ConditionDeleted { condition: ID },
    ];
    insta::assert_json_snapshot!(derived(changes));
}

#[test]
fn changes_of_descriptive_fields_give_no_operation() {
    let fields = vec!["name".to_owned()];
    let changes = vec![
        Change::UserChanged { user: ID, fields: fields.clone() },
        Change::TeamChanged { team: ID, fields: fields.clone() },
        Change::SystemAccountChanged { account: ID, fields: fields.clone() },
        Change::TokenChanged { token: ID, fields },
    ];
    assert_eq!(derived(changes), Vec::new());
}

#[test]
fn a_role_gone_from_the_catalogue_is_dropped_and_the_others_are_put() {
    let roles = Catalogue::compiled_in().roles();
    let changes = Changes { changes: vec![Change::CatalogueChanged { roles: roles.clone() }] };
    let known = vec!["routes.gone".to_owned(), roles[0].key.clone()];
    let ops = operations(changes, || known.clone()).ops;
    assert_eq!(ops.len(), roles.len() + 1);
    assert!(matches!(&ops[0], Operation::PutRole { role, .. } if *role == roles[0].key));
    let dropped = Operation::DropRole { role: "routes.gone".into() };
    assert_eq!(ops.last(), Some(&dropped));
}

fn catalogue_role(key: String) -> CatalogueRole {
    CatalogueRole { key, entity_type: "routes".into(), actions: vec!["view".into()], covers_children: vec![] }
}

proptest! {
    /// Whatever the catalogue was, the roles afterwards are those of the last one.
    #[test]
    fn the_last_catalogue_wins(known in prop::collection::btree_set("[a-d]", 0..4),
                               catalogues in prop::collection::vec(prop::collection::btree_set("[a-d]", 0..4), 1..4)) {
        let last = catalogues.last().cloned().unwrap_or_default();
        let changes = catalogues
            .into_iter()
            .map(|keys| Change::CatalogueChanged { roles: keys.into_iter().map(catalogue_role).collect() })
            .collect();
        let mut held = known.clone();
        for op in operations(Changes { changes }, || known.iter().cloned().collect()).ops {
            match op {
                Operation::PutRole { role, .. } => { held.insert(role); }
                Operation::DropRole { role } => { held.remove(&role); }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(held, last);
    }
}
