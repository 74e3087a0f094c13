//! What a decision and a change set cost in a big organization.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark may fail at once")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::identity_event::{OrganizationState, TokenKind};
use writ_contract::policy_change::{ChangeSet, Operation, PolicyOps, PrincipalKind};
use writ_contract::{ChainId, Hash, PLATFORM_ORGANIZATION, Stream, Timestamp};
use writ_policy::{Chain, Header, Index, Position, Query, Verdict};

const ORGANIZATION: Uuid = Uuid::from_u128(1);
const TEAMS: u128 = 1_000;
const ENTITIES: u128 = 10_000;
const NOW: Timestamp = Timestamp(1);

fn chain(organization: Uuid, origin: &str, stream: Stream) -> ChainId {
    ChainId { organization, origin: origin.to_owned(), stream }
}

fn write(index: &mut Index, chain: &ChainId, ops: Vec<Operation>) -> (ChangeSet, PolicyOps) {
    let position = index.chain(chain).map_or(Position::START.next(), Chain::next);
    let actor = Actor::system("bench");
    let header = Header { position, committed_at: NOW, actor, cause: None, request_id: None, rejected: None };
    let (set, _) = index.seal(chain, header, ops.clone()).unwrap();
    (set, PolicyOps { ops })
}

fn team(user: u128, place: u128) -> Uuid {
    Uuid::from_u128((1 << 64) + (user * 7 + place * 131) % TEAMS)
}

fn grant(id: u128, principal: Uuid, entity: u128) -> Operation {
    Operation::PutGrant {
        id: Uuid::from_u128(id),
        principal,
        role: "control_planes.viewer".to_owned(),
        entity_type: "control_planes".to_owned(),
        entity_id: Some(entity.to_string()),
        region: None,
        valid_from: None,
        valid_until: None,
        condition: None,
    }
}

/// A user in three teams, with a token and a grant of its own.
fn user(id: u128) -> Vec<Operation> {
    let member = Uuid::from_u128(id);
    let bind = |place| Operation::PutBinding { team: team(id, place), member, valid_from: None, valid_until: None };
    let hash = Hash::of(&[&id.to_be_bytes()]);
    let expires_at = Timestamp(i64::MAX);
    vec![
        Operation::PutPrincipal { id: member, kind: PrincipalKind::User, active: true },
        bind(0),
        bind(1),
        bind(2),
        Operation::PutToken { id: member, hash, principal: member, kind: TokenKind::Personal, expires_at },
        grant(id, member, id % ENTITIES),
    ]
}

fn big(users: u128) -> Index {
    let mut index = Index::new();
    let role = Operation::PutRole {
        role: "control_planes.viewer".to_owned(),
        entity_type: "control_planes".to_owned(),
        actions: vec!["view".to_owned()],
        covers_children: vec!["routes".to_owned()],
    };
    write(&mut index, &chain(PLATFORM_ORGANIZATION, "us", Stream::Identity), vec![role]);
    let identity = chain(ORGANIZATION, "us", Stream::Identity);
    write(&mut index, &identity, vec![Operation::PutOrganization { state: OrganizationState::Active }]);
    let teams = (0..TEAMS).flat_map(|number| {
        let id = Uuid::from_u128((1 << 64) + number);
        let kind = PrincipalKind::Team;
        [Operation::PutPrincipal { id, kind, active: true }, grant((1 << 64) + number, id, number)]
    });
    write(&mut index, &identity, teams.collect());
    for first in (0..users).step_by(1_000) {
        write(&mut index, &identity, (first..first + 1_000).flat_map(user).collect());
    }
    let entity = |number: u128| Operation::PutEntity {
        entity_type: "control_planes".to_owned(),
        id: number.to_string(),
        parent_type: None,
        parent_id: None,
    };
    write(&mut index, &chain(ORGANIZATION, "eu", Stream::Entities), (0..ENTITIES).map(entity).collect());
    index
}

fn decide(criterion: &mut Criterion) {
    let index = big(100_000);
    let query = |subject: u128, resource_id| Query {
        organization: ORGANIZATION,
        subject: Uuid::from_u128(subject),
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
    assert!(index.authenticate(&hash, NOW).is_ok());
    criterion.bench_function("authenticate/100k_users", |b| b.iter(|| index.authenticate(black_box(&hash), NOW)));
}

/// The same change in a small and in a big chain: a membership is prolonged; a user leaves, with
/// its memberships, token and grant. Both ought to cost the same.
fn apply(criterion: &mut Criterion) {
    for users in [1_000, 100_000] {
        let (mut origin, mut index) = (big(users), big(users));
        let identity = chain(ORGANIZATION, "us", Stream::Identity);
        let mut number = 0_u128;
        let prolong = |number: u128| {
            let user = number % 1_000;
            let valid_until = i64::try_from(number).ok().map(Timestamp);
            let member = Uuid::from_u128(user);
            vec![Operation::PutBinding { team: team(user, 0), member, valid_from: None, valid_until }]
        };
        criterion.bench_function(&format!("apply/{users}_users/prolong_binding"), |b| {
            let next = || {
                number += 1;
                write(&mut origin, &identity, prolong(number))
            };
            b.iter_batched(next, |(set, ops)| index.apply("us", &set, &ops), BatchSize::PerIteration);
        });
        criterion.bench_function(&format!("apply/{users}_users/drop_user"), |b| {
            b.iter_custom(|times| (0..times).map(|_| time_of_leaving(&mut origin, &mut index, &identity)).sum());
        });
    }
}

fn time_of_leaving(origin: &mut Index, index: &mut Index, identity: &ChainId) -> Duration {
    let id = 1 << 32;
    let (set, ops) = write(origin, identity, user(id));
    index.apply("us", &set, &ops);
    let (set, ops) = write(origin, identity, vec![Operation::DropPrincipal { id: Uuid::from_u128(id) }]);
    let start = Instant::now();
    let verdict = black_box(index.apply("us", &set, &ops));
    let time = start.elapsed();
    assert!(matches!(verdict, Verdict::Applied(delta) if delta.dropped.len() == 6));
    time
}

criterion_group!(benches, decide, apply);
criterion_main!(benches);
