//! What a decision and a change set cost in a big organization.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark may fail at once")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::policy_change::{ChangeSet, Operation, PolicyOps};
use writ_contract::row::{
    Entity, EntityKey, Grant, Membership, OrganizationState, Principal, PrincipalKind, Role, Token, TokenKind, Validity,
};
use writ_contract::{
    ChainId, GrantId, Hash, OrganizationId, PLATFORM_ORGANIZATION, PrincipalId, Region, Revision, Stream, TeamId,
    Timestamp, TokenId,
};
use writ_policy::{Chain, Header, Index, Query, Verdict};

const TEAMS: u128 = 1_000;
const ENTITIES: u128 = 10_000;
const NOW: Timestamp = Timestamp(1);

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

fn organization() -> OrganizationId {
    OrganizationId::from_parts(region("us"), 1, 1)
}

fn chain(organization: OrganizationId, origin: &str, stream: Stream) -> ChainId {
    ChainId { organization, origin: region(origin), stream }
}

fn write(index: &mut Index, chain: &ChainId, ops: Vec<Operation>) -> (ChangeSet, PolicyOps) {
    let revision = index.chain(chain).map_or(Revision::START.next(), Chain::next);
    let actor = Actor::system("bench");
    let header = Header { revision, committed_at: NOW, actor, cause: None, request_id: None, rejected: None };
    let (set, _) = index.seal(chain, header, ops.clone()).unwrap();
    (set, PolicyOps { ops })
}

fn principal_id(number: u128) -> PrincipalId {
    PrincipalId::from_uuid(Uuid::from_u128(number))
}

fn team(user: u128, place: u128) -> TeamId {
    TeamId::from_uuid(Uuid::from_u128((1 << 64) + (user * 7 + place * 131) % TEAMS))
}

fn grant(id: u128, principal: PrincipalId, entity: u128) -> Operation {
    Operation::PutGrant(Grant {
        id: GrantId::from_uuid(Uuid::from_u128(id)),
        principal,
        role: "control_planes.viewer".parse().unwrap(),
        entity_type: "control_planes".parse().unwrap(),
        entity_id: Some(entity.to_string().parse().unwrap()),
        region: None,
        validity: Validity::default(),
        condition: None,
    })
}

/// A user in three teams, with a token and a grant of its own.
fn user(id: u128) -> Vec<Operation> {
    let member = principal_id(id);
    let join =
        |place| Operation::PutMembership(Membership { team: team(id, place), member, validity: Validity::default() });
    let token = Token {
        id: TokenId::from_uuid(Uuid::from_u128(id)),
        hash: Hash::of(&[&id.to_be_bytes()]),
        principal: member,
        kind: TokenKind::Personal,
        expires_at: Timestamp(i64::MAX),
    };
    vec![
        Operation::PutPrincipal(Principal { id: member, kind: PrincipalKind::User, active: true }),
        join(0),
        join(1),
        join(2),
        Operation::PutToken(token),
        grant(id, member, id % ENTITIES),
    ]
}

fn big(users: u128) -> Index {
    let mut index = Index::new();
    let role = Operation::PutRole(Role {
        key: "control_planes.viewer".parse().unwrap(),
        entity_type: "control_planes".parse().unwrap(),
        actions: ["view".parse().unwrap()].into(),
        covers_children: ["routes".parse().unwrap()].into(),
    });
    write(&mut index, &chain(PLATFORM_ORGANIZATION, "us", Stream::Identity), vec![role]);
    let identity = chain(organization(), "us", Stream::Identity);
    write(&mut index, &identity, vec![Operation::PutOrganization { state: OrganizationState::Active }]);
    let teams = (0..TEAMS).flat_map(|number| {
        let (id, kind) = (principal_id((1 << 64) + number), PrincipalKind::Team);
        [Operation::PutPrincipal(Principal { id, kind, active: true }), grant((1 << 64) + number, id, number)]
    });
    write(&mut index, &identity, teams.collect());
    for first in (0..users).step_by(1_000) {
        write(&mut index, &identity, (first..first + 1_000).flat_map(user).collect());
    }
    let entity = |number: u128| {
        let (entity_type, entity_id) = ("control_planes".parse().unwrap(), number.to_string().parse().unwrap());
        Operation::PutEntity(Entity { key: EntityKey { entity_type, entity_id }, parent: None })
    };
    write(&mut index, &chain(organization(), "eu", Stream::Entities), (0..ENTITIES).map(entity).collect());
    index
}

fn decide(criterion: &mut Criterion) {
    let index = big(100_000);
    let query = |subject: u128, resource_id| Query {
        organization: organization(),
        subject: principal_id(subject),
        subject_kind: PrincipalKind::User,
        action: "view",
        resource_type: "control_planes",
        resource_id,
        region: None,
    };
    let (granted, denied) = (query(54_321, "4321"), query(54_321, "9999"));
    assert!(index.decide(&granted, NOW).decision && !index.decide(&denied, NOW).decision);
    criterion.bench_function("decide/100k_users/granted", |b| b.iter(|| index.decide(black_box(&granted), NOW)));
    criterion.bench_function("decide/100k_users/denied", |b| b.iter(|| index.decide(black_box(&denied), NOW)));
    let hash = Hash::of(&[&54_321_u128.to_be_bytes()]);
    assert!(index.authenticate(organization(), &hash, NOW).is_ok());
    criterion.bench_function("authenticate/100k_users", |b| {
        b.iter(|| index.authenticate(organization(), black_box(&hash), NOW))
    });
}

/// The same change in a small and in a big chain: a membership is prolonged; a user leaves, with
/// its memberships, token and grant. Both ought to cost the same.
fn apply(criterion: &mut Criterion) {
    for users in [1_000, 100_000] {
        let (mut origin, mut index) = (big(users), big(users));
        let identity = chain(organization(), "us", Stream::Identity);
        let mut number = 0_u128;
        let prolong = |number: u128| {
            let user = number % 1_000;
            let validity = Validity { from: None, until: i64::try_from(number).ok().map(Timestamp) };
            let member = principal_id(user);
            vec![Operation::PutMembership(Membership { team: team(user, 0), member, validity })]
        };
        criterion.bench_function(&format!("apply/{users}_users/prolong_membership"), |b| {
            let next = || {
                number += 1;
                write(&mut origin, &identity, prolong(number))
            };
            b.iter_batched(next, |(set, ops)| index.apply(region("us"), &set, &ops), BatchSize::PerIteration);
        });
        criterion.bench_function(&format!("apply/{users}_users/drop_user"), |b| {
            b.iter_custom(|times| (0..times).map(|_| time_of_leaving(&mut origin, &mut index, &identity)).sum());
        });
    }
}

fn time_of_leaving(origin: &mut Index, index: &mut Index, identity: &ChainId) -> Duration {
    let id = 1 << 32;
    let (set, ops) = write(origin, identity, user(id));
    index.apply(region("us"), &set, &ops);
    let (set, ops) = write(origin, identity, vec![Operation::DropPrincipal { id: principal_id(id) }]);
    let start = Instant::now();
    let verdict = black_box(index.apply(region("us"), &set, &ops));
    let time = start.elapsed();
    assert!(matches!(verdict, Verdict::Applied(delta) if delta.dropped.len() == 6));
    time
}

criterion_group!(benches, decide, apply);
criterion_main!(benches);
