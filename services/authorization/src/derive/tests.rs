use proptest::prelude::*;
use uuid::Uuid;
use writ_contract::catalogue::Catalogue;
use writ_contract::row::{Condition, Effect, Grant, Membership, Token, TokenKind, Validity};
use writ_contract::{ConditionId, GrantId, Hash, SystemAccountId, TeamId, Timestamp, TokenId, UserId};

use super::*;

const ID: Uuid = Uuid::from_u128(1);
const USER: UserId = UserId::from_uuid(ID);
const TEAM: TeamId = TeamId::from_uuid(ID);
const ACCOUNT: SystemAccountId = SystemAccountId::from_uuid(ID);
const OTHER: PrincipalId = PrincipalId::from_uuid(Uuid::from_u128(2));

fn derived(change: Change) -> Vec<Operation> {
    operations(Changes { changes: vec![change] }, BTreeSet::new)
}

#[test]
fn the_life_of_principals() {
    let put = |kind, active| vec![Operation::PutPrincipal(Principal { id: USER.into(), kind, active })];
    let cases = [
        (Change::UserInvited { user: USER }, put(PrincipalKind::User, false)),
        (Change::UserActivated { user: USER }, put(PrincipalKind::User, true)),
        (Change::UserStateChanged { user: USER, active: false }, put(PrincipalKind::User, false)),
        (Change::TeamCreated { team: TEAM, system: true }, put(PrincipalKind::Team, true)),
        (Change::SystemAccountCreated { account: ACCOUNT, managed: false }, put(PrincipalKind::SystemAccount, true)),
    ];
    for (change, expected) in cases {
        assert_eq!(derived(change), expected);
    }
    for gone in [
        Change::UserErased { user: USER },
        Change::TeamDeleted { team: TEAM },
        Change::SystemAccountDeleted { account: ACCOUNT },
    ] {
        assert_eq!(derived(gone), vec![Operation::DropPrincipal { id: USER.into() }]);
    }
}

#[test]
fn an_organization_is_created_suspended_and_deleted() {
    let put = |state| vec![Operation::PutOrganization { state }];
    assert_eq!(derived(Change::OrganizationCreated { owner: USER }), put(OrganizationState::Active));
    let state = OrganizationState::Suspended;
    assert_eq!(derived(Change::OrganizationStateChanged { state }), put(state));
    let state = OrganizationState::Deleted;
    let deleted = vec![Operation::DropAll {}, Operation::PutOrganization { state }];
    assert_eq!(derived(Change::OrganizationDeleted {}), deleted);
    assert_eq!(derived(Change::OrganizationStateChanged { state }), deleted);
}

#[test]
fn facts_are_carried_unchanged() {
    let membership = Membership { team: TEAM, member: OTHER, validity: Validity::default() };
    let token = Token {
        id: TokenId::from_uuid(ID),
        hash: Hash::ZERO,
        principal: OTHER,
        kind: TokenKind::Personal,
        expires_at: Timestamp(5),
    };
    let grant = Grant {
        id: GrantId::from_uuid(ID),
        principal: OTHER,
        role: "control_planes.viewer".parse().unwrap(),
        entity_type: "control_planes".parse().unwrap(),
        entity_id: Some("cp".parse().unwrap()),
        region: Some("eu".parse().unwrap()),
        validity: Validity { from: Some(Timestamp(3)), until: Some(Timestamp(4)) },
        condition: Some(ConditionId::from_uuid(ID)),
    };
    let role = role("custom");
    let condition =
        Condition { id: ConditionId::from_uuid(ID), effect: Effect::Forbid, cedar_json: "{}".parse().unwrap() };
    let cases = [
        (Change::MemberAdded(membership.clone()), Operation::PutMembership(membership)),
        (Change::TokenIssued(token.clone()), Operation::PutToken(token)),
        (Change::RoleAssigned(grant.clone()), Operation::PutGrant(grant)),
        (Change::CustomRoleDefined(role.clone()), Operation::PutRole(role)),
        (Change::ConditionSet(condition.clone()), Operation::PutCondition(condition)),
    ];
    for (change, operation) in cases {
        assert_eq!(derived(change), vec![operation]);
    }
}

#[test]
fn what_ends_is_dropped_by_its_key() {
    let (token, grant, condition) = (TokenId::from_uuid(ID), GrantId::from_uuid(ID), ConditionId::from_uuid(ID));
    let key: RoleKey = "custom".parse().unwrap();
    let cases = [
        (Change::MemberRemoved { team: TEAM, member: OTHER }, Operation::DropMembership { team: TEAM, member: OTHER }),
        (Change::TokenRevoked { token }, Operation::DropToken { id: token }),
        (Change::RoleUnassigned { grant }, Operation::DropGrant { id: grant }),
        (Change::CustomRoleDeleted { key: key.clone() }, Operation::DropRole { key }),
        (Change::ConditionDeleted { condition }, Operation::DropCondition { id: condition }),
    ];
    for (change, operation) in cases {
        assert_eq!(derived(change), vec![operation]);
    }
}

#[test]
fn changes_of_descriptive_fields_give_no_operation() {
    let fields = vec!["name".parse().unwrap()];
    for change in [
        Change::UserChanged { user: USER, fields: fields.clone() },
        Change::TeamChanged { team: TEAM, fields: fields.clone() },
        Change::SystemAccountChanged { account: ACCOUNT, fields: fields.clone() },
        Change::TokenChanged { token: TokenId::from_uuid(ID), fields },
    ] {
        assert_eq!(derived(change), Vec::new());
    }
}

#[test]
fn a_role_gone_from_the_catalogue_is_dropped_and_the_others_are_put() {
    let roles = Catalogue::compiled_in().roles();
    let changes = Changes { changes: vec![Change::CatalogueChanged { roles: roles.clone() }] };
    let gone: RoleKey = "routes.gone".parse().unwrap();
    let ops = operations(changes, || BTreeSet::from([gone.clone(), roles[0].key.clone()]));
    assert_eq!(ops.len(), roles.len() + 1);
    assert_eq!(ops[0], Operation::PutRole(roles[0].clone()));
    assert_eq!(ops.last(), Some(&Operation::DropRole { key: gone }));
}

fn role(key: &str) -> Role {
    Role {
        key: key.parse().unwrap(),
        entity_type: "routes".parse().unwrap(),
        actions: BTreeSet::from(["view".parse().unwrap()]),
        covers_children: BTreeSet::new(),
    }
}

proptest! {
    /// Whatever the catalogue was, the roles afterwards are those of the last one.
    #[test]
    fn the_last_catalogue_wins(known in prop::collection::btree_set("[a-d]", 0..4),
                               catalogues in prop::collection::vec(prop::collection::btree_set("[a-d]", 0..4), 1..4)) {
        let keys = |texts: &BTreeSet<String>| texts.iter().map(|key| key.parse().unwrap()).collect::<BTreeSet<RoleKey>>();
        let last = catalogues.last().map(keys).unwrap_or_default();
        let changed = |keys: &BTreeSet<String>| Change::CatalogueChanged { roles: keys.iter().map(|key| role(key)).collect() };
        let changes = Changes { changes: catalogues.iter().map(changed).collect() };
        let mut held = keys(&known);
        for op in operations(changes, || keys(&known)) {
            match op {
                Operation::PutRole(role) => { held.insert(role.key); }
                Operation::DropRole { key } => { held.remove(&key); }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(held, last);
    }
}
