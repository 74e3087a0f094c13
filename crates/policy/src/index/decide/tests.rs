//! The story of the architecture, one denial after the other.

use uuid::Uuid;
use writ_contract::policy_change::Operation;
use writ_contract::row::{Condition, Effect, TokenKind};
use writ_contract::{ChainId, ConditionId, Hash, PLATFORM_ORGANIZATION, Revision, TokenId};

use super::*;
use crate::testing::{
    self, chain, entity_key, grant_id, header, organization, principal_id, put_membership, put_principal, region,
    team_id, token_id, validity,
};
use crate::{Authenticated, Halt, Unauthenticated};

const ADA: PrincipalId = principal_id(0xADA);
const TEAM: PrincipalId = principal_id(0x7EA);
const TEAM_ID: TeamId = team_id(0x7EA);
const ROBOT: PrincipalId = principal_id(0xB07);
const GRANT: GrantId = grant_id(0x6A);
const TOKEN: TokenId = token_id(0x70);
const CONDITION: ConditionId = ConditionId::from_uuid(Uuid::from_u128(0xC0));
const NOW: Timestamp = Timestamp(100);

fn write(index: &mut Index, chain: &ChainId, ops: Vec<Operation>) {
    let next = index.chain(chain).map_or(Revision::START.next(), Chain::next);
    index.seal(chain, header(next, NOW), ops).unwrap();
}

fn change(index: &mut Index, op: Operation) {
    write(index, &chain(organization(1), "us", Stream::Identity), vec![op]);
}

fn role(key: &str, actions: &[&str], covers: &[&str]) -> Operation {
    Operation::PutRole(testing::role(key, actions, covers))
}

fn entity(entity_type: &str, id: &str, parent: Option<(&str, &str)>) -> Operation {
    Operation::PutEntity(testing::entity(entity_type, id, parent))
}

fn grant(principal: PrincipalId, role: &str, entity_id: Option<&str>, region: Option<&str>) -> Operation {
    Operation::PutGrant(testing::grant(GRANT, principal, role, entity_id, region))
}

fn condition(effect: Effect) -> Operation {
    Operation::PutCondition(Condition { id: CONDITION, effect, cedar_json: "{}".parse().unwrap() })
}

/// Ada is in a team that views planes in eu, where plane `p` holds route `r`; `u` is in us.
fn story() -> Index {
    let mut index = Index::new();
    let catalogue = vec![role("planes.viewer", &["view"], &["routes"]), role("planes.creator", &["create"], &[])];
    write(&mut index, &chain(PLATFORM_ORGANIZATION, "us", Stream::Identity), catalogue);
    let eu = vec![
        entity("planes", "p", None),
        entity("routes", "r", Some(("planes", "p"))),
        entity("routes", "alone", None),
    ];
    write(&mut index, &chain(organization(1), "eu", Stream::Entities), eu);
    write(&mut index, &chain(organization(1), "us", Stream::Entities), vec![entity("planes", "u", None)]);
    let identity = vec![
        Operation::PutOrganization { state: OrganizationState::Active },
        put_principal(ADA, PrincipalKind::User, true),
        put_principal(ROBOT, PrincipalKind::SystemAccount, true),
        put_principal(TEAM, PrincipalKind::Team, true),
        put_membership(TEAM_ID, ADA, Some(50), Some(150)),
        grant(TEAM, "planes.viewer", None, Some("eu")),
    ];
    write(&mut index, &chain(organization(1), "us", Stream::Identity), identity);
    index
}

fn ask(action: &'static str, resource_type: &'static str, resource_id: &'static str) -> Query<'static> {
    Query {
        organization: organization(1),
        subject: ADA,
        subject_kind: PrincipalKind::User,
        action,
        resource_type,
        resource_id,
        region: None,
    }
}

fn reason(index: &Index, query: &Query<'_>) -> Reason {
    let decision = index.decide(query, NOW);
    assert_eq!(decision.decision, decision.reason == Reason::Granted);
    decision.reason
}

fn view_p(index: &Index) -> Reason {
    reason(index, &ask("view", "planes", "p"))
}

#[test]
fn a_grant_of_the_team_reaches_the_entity_and_its_children_in_its_region() {
    let index = story();
    let decision = index.decide(&ask("view", "planes", "p"), NOW);
    assert_eq!(decision.reason, Reason::Granted);
    let expected =
        Match { region: Some(region("eu")), grant: GRANT, role: "planes.viewer".parse().unwrap(), team: Some(TEAM_ID) };
    assert_eq!(decision.matches, [expected]);
    let used: Vec<_> = decision.heads.iter().map(|head| head.chain.to_string()).collect();
    let (nil, own) = (PLATFORM_ORGANIZATION, organization(1));
    assert_eq!(
        used,
        [
            format!("{own}/us/identity"),
            format!("{nil}/us/identity"),
            format!("{own}/eu/entities"),
            format!("{own}/us/entities"),
        ]
    );
    assert_eq!(reason(&index, &ask("view", "routes", "r")), Reason::Granted);
    assert_eq!(reason(&index, &ask("view", "routes", "alone")), Reason::NoGrant);
    assert_eq!(reason(&index, &ask("view", "planes", "u")), Reason::RegionNotCovered);
    assert_eq!(reason(&index, &ask("edit", "planes", "p")), Reason::NoGrant);
    assert_eq!(reason(&index, &ask("view", "planes", "x")), Reason::UnknownEntity);
    assert_eq!(reason(&index, &ask("view", "routes", "p")), Reason::UnknownEntity);
}

#[test]
fn a_role_that_does_not_cover_children_ends_at_its_entity() {
    let mut index = story();
    write(
        &mut index,
        &chain(PLATFORM_ORGANIZATION, "us", Stream::Identity),
        vec![role("planes.viewer", &["view"], &[])],
    );
    assert_eq!(view_p(&index), Reason::Granted);
    assert_eq!(reason(&index, &ask("view", "routes", "r")), Reason::NoGrant);
}

#[test]
fn a_grant_on_one_entity_reaches_its_children_and_no_other() {
    let mut index = story();
    write(
        &mut index,
        &chain(organization(1), "eu", Stream::Entities),
        vec![entity("planes", "q", None), entity("routes", "s", Some(("planes", "q")))],
    );
    change(&mut index, grant(TEAM, "planes.viewer", Some("p"), None));
    assert_eq!(view_p(&index), Reason::Granted);
    assert_eq!(reason(&index, &ask("view", "routes", "r")), Reason::Granted);
    assert_eq!(reason(&index, &ask("view", "planes", "q")), Reason::NoGrant);
    assert_eq!(reason(&index, &ask("view", "routes", "s")), Reason::NoGrant);
    assert_eq!(reason(&index, &ask("view", "planes", "*")), Reason::NoGrant);
}

#[test]
fn membership_counts_while_it_is_valid_and_the_team_is_active() {
    let mut index = story();
    let at = |index: &Index, now: i64| index.decide(&ask("view", "planes", "p"), Timestamp(now)).decision;
    assert_eq!([49, 50, 149, 150].map(|now| at(&index, now)), [false, true, true, false]);
    change(&mut index, put_principal(TEAM, PrincipalKind::Team, false));
    assert_eq!(view_p(&index), Reason::NoGrant);
    change(&mut index, put_principal(TEAM, PrincipalKind::Team, true));
    assert_eq!(view_p(&index), Reason::Granted);
    change(&mut index, Operation::DropMembership { team: TEAM_ID, member: ADA });
    assert_eq!(view_p(&index), Reason::NoGrant);
}

#[test]
fn each_thing_that_is_missing_denies_with_its_reason() {
    use Operation::{DropPrincipal, PutOrganization};
    let user = |active| put_principal(ADA, PrincipalKind::User, active);
    let forbid = condition(Effect::Forbid);
    for (op, expected) in [
        (PutOrganization { state: OrganizationState::Suspended }, Reason::OrganizationInactive),
        (PutOrganization { state: OrganizationState::Deleted }, Reason::OrganizationInactive),
        (user(false), Reason::SubjectInactive),
        (DropPrincipal { id: ADA }, Reason::UnknownSubject),
        (DropPrincipal { id: TEAM }, Reason::NoGrant),
        (forbid, Reason::Forbidden),
        (Operation::DropAll {}, Reason::UnknownSubject),
    ] {
        let mut index = story();
        change(&mut index, op.clone());
        assert_eq!(view_p(&index), expected, "{op:?}");
    }
}

#[test]
fn a_grant_counts_in_its_time_and_not_under_a_condition() {
    let mut index = story();
    let with = |from: Option<i64>, until: Option<i64>, condition: Option<ConditionId>| {
        let grant = testing::grant(GRANT, ADA, "planes.viewer", None, None);
        Operation::PutGrant(Grant { validity: validity(from, until), condition, ..grant })
    };
    for (op, expected) in [
        (with(Some(100), Some(101), None), Reason::Granted),
        (with(Some(101), None, None), Reason::GrantNotValidNow),
        (with(None, Some(100), None), Reason::GrantNotValidNow),
        (with(None, None, Some(CONDITION)), Reason::ConditionNotSupported),
    ] {
        change(&mut index, op.clone());
        assert_eq!(view_p(&index), expected, "{op:?}");
    }
}

#[test]
fn an_entity_of_two_regions_must_be_granted_in_both() {
    let mut index = story();
    let us = chain(organization(1), "us", Stream::Entities);
    write(&mut index, &us, vec![entity("planes", "p", None)]);
    assert_eq!(view_p(&index), Reason::RegionNotCovered);
    change(&mut index, grant(TEAM, "planes.viewer", None, None));
    let decision = index.decide(&ask("view", "planes", "p"), NOW);
    let regions: Vec<_> = decision.matches.iter().map(|found| found.region).collect();
    assert_eq!(regions, ["eu", "us"].map(|code| Some(region(code))));
    change(&mut index, grant(TEAM, "planes.viewer", None, Some("eu")));
    write(&mut index, &us, vec![Operation::DropEntity(entity_key("planes", "p"))]);
    assert_eq!(view_p(&index), Reason::Granted);
}

#[test]
fn a_halted_chain_denies_what_may_depend_on_it() {
    let halts = [
        chain(organization(1), "us", Stream::Identity),
        chain(PLATFORM_ORGANIZATION, "us", Stream::Identity),
        chain(organization(1), "eu", Stream::Entities),
    ];
    for id in halts {
        let mut index = story();
        index.halt(&id, Halt::Gap, None);
        assert_eq!(view_p(&index), Reason::ViewIncomplete, "{id}");
    }
    let mut index = story();
    index.halt(&chain(PLATFORM_ORGANIZATION, "eu", Stream::Identity), Halt::Gap, None);
    assert_eq!(view_p(&index), Reason::Granted, "the catalogue of another home");
}

#[test]
fn a_type_as_a_whole_is_granted_as_a_whole() {
    let mut index = story();
    change(&mut index, grant(TEAM, "planes.creator", None, Some("eu")));
    let create = ask("create", "planes", "*");
    assert_eq!(reason(&index, &create), Reason::RegionNotCovered);
    assert_eq!(reason(&index, &Query { region: Some(region("us")), ..create }), Reason::RegionNotCovered);
    assert_eq!(reason(&index, &Query { region: Some(region("eu")), ..create }), Reason::Granted);
    change(&mut index, grant(TEAM, "planes.creator", None, None));
    assert_eq!(reason(&index, &create), Reason::Granted);
    assert_eq!(reason(&index, &ask("create", "routes", "*")), Reason::NoGrant);
    index.halt(&chain(organization(1), "eu", Stream::Entities), Halt::Fork, None);
    assert_eq!(reason(&index, &create), Reason::Granted, "no entity is asked about");
}

#[test]
fn roles_are_the_organizations_own_or_of_its_homes_catalogue() {
    let mut index = story();
    change(&mut index, grant(ADA, "own", None, None));
    assert_eq!(view_p(&index), Reason::NoGrant);
    write(&mut index, &chain(PLATFORM_ORGANIZATION, "eu", Stream::Identity), vec![role("own", &["view"], &[])]);
    assert_eq!(view_p(&index), Reason::NoGrant);
    change(&mut index, role("own", &["view"], &[]));
    assert_eq!(view_p(&index), Reason::Granted);
    change(&mut index, Operation::DropRole { key: "own".parse().unwrap() });
    assert_eq!(view_p(&index), Reason::NoGrant);
}

#[test]
fn nobody_else_is_known() {
    let index = story();
    let query = ask("view", "planes", "p");
    assert_eq!(reason(&index, &Query { organization: organization(2), ..query }), Reason::UnknownOrganization);
    assert_eq!(reason(&index, &Query { organization: PLATFORM_ORGANIZATION, ..query }), Reason::UnknownOrganization);
    assert_eq!(reason(&index, &Query { subject_kind: PrincipalKind::SystemAccount, ..query }), Reason::UnknownSubject);
    let team = Query { subject: TEAM, subject_kind: PrincipalKind::Team, ..query };
    assert_eq!(reason(&index, &team), Reason::UnknownSubject);
    let robot = Query { subject: ROBOT, subject_kind: PrincipalKind::SystemAccount, ..query };
    assert_eq!(reason(&index, &robot), Reason::NoGrant);
}

#[test]
fn a_token_stands_for_its_active_principal() {
    let hash = Hash::of(&[b"token"]);
    let token = |principal, kind| Operation::PutToken(testing::token(TOKEN, hash, principal, kind, 101));
    let outcome = |ops: Vec<Operation>| {
        let mut index = story();
        ops.into_iter().for_each(|op| change(&mut index, op));
        index.authenticate(organization(1), &hash, NOW)
    };
    let known = Authenticated {
        organization: organization(1),
        principal: ADA,
        kind: PrincipalKind::User,
        token: TOKEN,
        expires_at: Timestamp(101),
    };
    let personal = || token(ADA, TokenKind::Personal);
    assert_eq!(outcome(vec![personal()]), Ok(known));
    assert!(outcome(vec![token(ROBOT, TokenKind::SystemAccount)]).is_ok());
    let inactive = put_principal(ADA, PrincipalKind::User, false);
    let suspended = Operation::PutOrganization { state: OrganizationState::Suspended };
    let twice = Operation::PutToken(testing::token(token_id(2), hash, ROBOT, TokenKind::SystemAccount, 101));
    for (ops, expected) in [
        (vec![], Unauthenticated::UnknownToken),
        (vec![personal(), Operation::DropToken { id: TOKEN }], Unauthenticated::UnknownToken),
        (vec![personal(), Operation::DropPrincipal { id: ADA }], Unauthenticated::UnknownToken),
        (vec![personal(), Operation::DropAll {}], Unauthenticated::UnknownToken),
        (vec![personal(), twice], Unauthenticated::UnknownToken),
        (vec![token(ADA, TokenKind::Invite)], Unauthenticated::NotForAccess),
        (vec![token(ADA, TokenKind::SystemAccount)], Unauthenticated::PrincipalInactive),
        (vec![personal(), inactive], Unauthenticated::PrincipalInactive),
        (vec![personal(), suspended], Unauthenticated::OrganizationInactive),
    ] {
        assert_eq!(outcome(ops.clone()), Err(expected), "{ops:?}");
    }
    let mut index = story();
    change(&mut index, personal());
    assert_eq!(index.authenticate(organization(1), &hash, Timestamp(101)), Err(Unauthenticated::Expired));
    index.halt(&chain(organization(1), "us", Stream::Identity), Halt::Fork, None);
    assert_eq!(index.authenticate(organization(1), &hash, NOW), Err(Unauthenticated::ViewIncomplete));
}

#[test]
fn a_forbid_that_is_gone_or_changed_forbids_nothing() {
    let mut index = story();
    change(&mut index, condition(Effect::Forbid));
    assert_eq!(view_p(&index), Reason::Forbidden);
    change(&mut index, condition(Effect::When));
    assert_eq!(view_p(&index), Reason::Granted);
    change(&mut index, condition(Effect::Forbid));
    change(&mut index, Operation::DropCondition { id: CONDITION });
    assert_eq!(view_p(&index), Reason::Granted);
}

#[test]
fn a_token_that_is_put_again_has_its_new_hash_and_time() {
    let mut index = story();
    let mut put = |text: &[u8], until| {
        let hash = Hash::of(&[text]);
        change(&mut index, Operation::PutToken(testing::token(TOKEN, hash, ADA, TokenKind::Personal, until)));
        [&b"old"[..], b"new"]
            .map(|text| index.authenticate(organization(1), &Hash::of(&[text]), NOW).map(|found| found.expires_at))
    };
    assert_eq!(put(b"old", 101), [Ok(Timestamp(101)), Err(Unauthenticated::UnknownToken)]);
    assert_eq!(put(b"old", 102), [Ok(Timestamp(102)), Err(Unauthenticated::UnknownToken)]);
    assert_eq!(put(b"new", 103), [Err(Unauthenticated::UnknownToken), Ok(Timestamp(103))]);
}

/// Hashes are on the log: any region can put them into an organization of its own.
#[test]
fn what_another_organization_has_under_the_hash_plays_no_part() {
    let mut index = story();
    let hash = Hash::of(&[b"ada's"]);
    let put = || Operation::PutToken(testing::token(TOKEN, hash, ADA, TokenKind::Personal, 101));
    change(&mut index, put());
    let other = chain(organization(2), "us", Stream::Identity);
    write(&mut index, &other, vec![put_principal(ADA, PrincipalKind::User, true), put()]);
    let found = index.authenticate(organization(1), &hash, NOW).unwrap();
    assert_eq!((found.organization, found.principal), (organization(1), ADA));
}

/// A region whose entities are halted has no say in those of another region.
#[test]
fn a_halted_region_denies_its_own_entities_alone() {
    let mut index = story();
    index.halt(&chain(organization(1), "au", Stream::Entities), Halt::Unreadable, None);
    assert_eq!(view_p(&index), Reason::Granted);
    assert_eq!(reason(&index, &ask("view", "planes", "nobodys")), Reason::ViewIncomplete, "it may be in au");
    let us = chain(organization(1), "us", Stream::Entities);
    write(&mut index, &us, vec![entity("planes", "p", None)]);
    index.halt(&us, Halt::Gap, None);
    assert_eq!(view_p(&index), Reason::ViewIncomplete, "us has it, too");
}

#[test]
fn a_region_has_a_limit_and_hurts_no_other() {
    use crate::{Header, Limits, Verdict};

    let (mut source, limits) = (Index::new(), Limits { chains: 2, rows: 6, rows_per_chain: 4, operations: 5 });
    let mut index = Index::new().limited(limits);
    let mut apply = |number: u32, origin: &str, count: std::ops::Range<u32>| {
        let id = chain(organization(number), origin, Stream::Entities);
        let revision = source.head(&id).map_or(Revision::START, |head| head.revision).next();
        let header = Header { revision, ..testing::header(revision, NOW) };
        let ops: Vec<_> = count.map(|entity_number| entity("planes", &format!("p{entity_number}"), None)).collect();
        let (set, _) = source.seal(&id, header, ops).unwrap();
        let ops: writ_contract::policy_change::PolicyOps =
            writ_contract::decode(&set.payload, &Default::default()).unwrap();
        match index.apply(id.origin, &set, &ops) {
            Verdict::Applied(_) => Ok(()),
            Verdict::Halted { halt, .. } => Err(Some(halt)),
            _ => Err(None),
        }
    };
    assert_eq!(apply(1, "us", 0..4), Ok(()));
    assert_eq!(apply(1, "us", 0..1), Ok(()), "nothing new");
    assert_eq!(apply(1, "us", 4..5), Err(Some(Halt::LimitExceeded)), "rows of the chain");
    assert_eq!(apply(2, "us", 0..3), Err(Some(Halt::LimitExceeded)), "rows of the region");
    assert_eq!(apply(3, "us", 0..1), Err(None), "a third chain");
    assert_eq!(apply(1, "eu", 0..6), Err(Some(Halt::LimitExceeded)), "operations");
    assert_eq!(apply(2, "eu", 0..2), Ok(()), "another region");
}
