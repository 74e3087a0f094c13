//! What is written is what is read: random sequences of change sets, batched at random.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::str::FromStr;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::types::Uuid;
use writ_contract::actor::Actor;
use writ_contract::policy_change::{ChainState, ChangeSet, Operation};
use writ_contract::row::{
    Condition, Effect, Entity, EntityKey, Grant, Membership, OrganizationState, Principal, PrincipalKind, Role, Token,
    TokenKind, Validity,
};
use writ_contract::{
    ConditionId, GrantId, OrganizationId, PrincipalId, Region, Revision, Stream, TeamId, Timestamp, TokenId,
};
use writ_policy::{Chain, Halt, Header, Row, RowKey, Standing};

use super::*;

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

/// A chain of an organization of `us`.
fn chain(number: u32, origin: &str, stream: Stream) -> ChainId {
    ChainId { organization: OrganizationId::from_parts(region("us"), 1, number), origin: region(origin), stream }
}

fn seal(index: &mut Index, chain: &ChainId, ops: Vec<Operation>) -> (ChangeSet, Delta) {
    let revision = index.chain(chain).map_or(Revision::START.next(), Chain::next);
    let (committed_at, actor) = (Timestamp(revision.number * 10), Actor::system("test"));
    let header = Header { revision, committed_at, actor, cause: None, request_id: None, rejected: None };
    index.seal(chain, header, ops).unwrap()
}

fn id<T: Debug>(of: impl Fn(Uuid) -> T) -> impl Strategy<Value = T> {
    (0..6_u128).prop_map(move |number| of(Uuid::from_u128(number)))
}

fn principal() -> impl Strategy<Value = PrincipalId> {
    id(PrincipalId::from_uuid)
}

fn one_of<T: Copy + Debug>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

/// A text that every checked type takes.
fn text<T: FromStr<Err: Debug> + Debug>() -> impl Strategy<Value = T> {
    prop::sample::select(&["a1", "b2", "c3", "d4"][..]).prop_map(|text| text.parse().unwrap())
}

fn texts<T: FromStr<Err: Debug> + Debug + Ord>() -> impl Strategy<Value = BTreeSet<T>> {
    prop::collection::btree_set(text(), 0..4)
}

fn validity() -> impl Strategy<Value = Validity> {
    let time = || prop::option::of(any::<i64>().prop_map(Timestamp));
    (time(), time()).prop_map(|(from, until)| Validity { from, until })
}

fn grant() -> impl Strategy<Value = Grant> {
    let named = (id(GrantId::from_uuid), principal(), text(), text());
    let scope = (prop::option::of(text()), prop::option::of(text()), validity());
    (named, scope, prop::option::of(id(ConditionId::from_uuid))).prop_map(
        |((id, principal, role, entity_type), (entity_id, region, validity), condition)| Grant {
            id,
            principal,
            role,
            entity_type,
            entity_id,
            region,
            validity,
            condition,
        },
    )
}

fn token() -> impl Strategy<Value = Token> {
    let stands_for = (principal(), one_of(TokenKind::ALL));
    (id(TokenId::from_uuid), any::<[u8; 32]>(), stands_for, any::<i64>()).prop_map(
        |(id, hash, (principal, kind), until)| Token {
            id,
            hash: Hash(hash),
            principal,
            kind,
            expires_at: Timestamp(until),
        },
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    let cedar_json = prop::sample::select(&["", r#"{"a":"\u{fc}"}"#, "ü,{}\\\""][..]);
    (id(ConditionId::from_uuid), one_of(Effect::ALL), cedar_json).prop_map(|(id, effect, cedar_json)| Condition {
        id,
        effect,
        cedar_json: cedar_json.parse().unwrap(),
    })
}

fn put() -> impl Strategy<Value = Operation> {
    prop_oneof![
        one_of(&[OrganizationState::Active, OrganizationState::Suspended])
            .prop_map(|state| Operation::PutOrganization { state }),
        (principal(), one_of(PrincipalKind::ALL), any::<bool>())
            .prop_map(|(id, kind, active)| Operation::PutPrincipal(Principal { id, kind, active })),
        (id(TeamId::from_uuid), principal(), validity())
            .prop_map(|(team, member, validity)| Operation::PutMembership(Membership { team, member, validity })),
        (text(), text(), texts(), texts()).prop_map(|(key, entity_type, actions, covers_children)| {
            Operation::PutRole(Role { key, entity_type, actions, covers_children })
        }),
        grant().prop_map(Operation::PutGrant),
        token().prop_map(Operation::PutToken),
        condition().prop_map(Operation::PutCondition),
    ]
}

fn entity_key() -> impl Strategy<Value = EntityKey> {
    text().prop_map(|entity_id| EntityKey { entity_type: "planes".parse().unwrap(), entity_id })
}

fn entity() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => (entity_key(), prop::option::of(entity_key()))
            .prop_map(|(key, parent)| Operation::PutEntity(Entity { key, parent })),
        1 => entity_key().prop_map(Operation::DropEntity),
    ]
}

fn drop_of() -> impl Strategy<Value = Operation> {
    prop_oneof![
        Just(Operation::DropAll {}),
        principal().prop_map(|id| Operation::DropPrincipal { id }),
        (id(TeamId::from_uuid), principal()).prop_map(|(team, member)| Operation::DropMembership { team, member }),
        text().prop_map(|key| Operation::DropRole { key }),
        id(GrantId::from_uuid).prop_map(|id| Operation::DropGrant { id }),
        id(TokenId::from_uuid).prop_map(|id| Operation::DropToken { id }),
        id(ConditionId::from_uuid).prop_map(|id| Operation::DropCondition { id }),
    ]
}

/// Change sets of some chains, in batches.
fn batches() -> impl Strategy<Value = Vec<Vec<(usize, Vec<Operation>)>>> {
    let operation = prop_oneof![6 => put(), 3 => entity(), 2 => drop_of()];
    let set = (0..4_usize, prop::collection::vec(operation, 0..8));
    prop::collection::vec(prop::collection::vec(set, 1..6), 1..10)
}

type Chains = BTreeMap<ChainId, (Standing, BTreeMap<RowKey, Row>)>;

fn in_memory(index: &Index) -> Chains {
    let chains = index.heads().map(|standing| index.chain(&standing.head.chain).unwrap());
    let rows = |chain: &Chain| chain.rows().iter().map(|row| (row.key(), row)).collect();
    chains.map(|chain| (chain.id(), (chain.standing().clone(), rows(chain)))).collect()
}

async fn check(pool: &PgPool, index: &Index) {
    assert_eq!(in_memory(&load(pool).await.unwrap()), in_memory(index));
    for standing in index.heads() {
        assert_eq!(recompute_digest(pool, &standing.head.chain).await.unwrap(), standing.head.state_digest);
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn what_is_loaded_is_what_was_written(pool: PgPool) {
    let chains = [
        chain(1, "us", Stream::Identity),
        chain(1, "us", Stream::Entities),
        chain(1, "eu", Stream::Entities),
        chain(2, "us", Stream::Identity),
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..12 {
        sqlx::query("TRUNCATE chain, organization, principal, membership, role, \"grant\", token, condition, entity")
            .execute(&pool)
            .await
            .unwrap();
        let mut index = Index::new();
        for batch in batches().new_tree(&mut runner).unwrap().current() {
            let deltas: Vec<_> =
                batch.into_iter().map(|(which, ops)| seal(&mut index, &chains[which], ops).1).collect();
            write(&mut pool.acquire().await.unwrap(), &deltas).await.unwrap();
        }
        check(&pool, &index).await;
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_batch_that_puts_drops_and_puts_again_ends_with_the_last(pool: PgPool) {
    let identity = chain(1, "us", Stream::Identity);
    let mut index = Index::new();
    let id = PrincipalId::default();
    let user = |active| Operation::PutPrincipal(Principal { id, kind: PrincipalKind::User, active });
    let gone = Operation::DropPrincipal { id };
    let mut seal_all = |ops: &[Operation]| -> Vec<Delta> {
        ops.iter().map(|op| seal(&mut index, &identity, vec![op.clone()]).1).collect()
    };
    let first = seal_all(&[user(true), gone.clone(), user(false)]);
    let second = seal_all(&[user(true), gone]);
    let mut conn = pool.acquire().await.unwrap();
    let active = "SELECT active FROM principal";
    write(&mut conn, &first).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, bool>(active).fetch_all(&pool).await.unwrap(), [false]);
    write(&mut conn, &second).await.unwrap();
    assert!(sqlx::query_scalar::<_, bool>(active).fetch_all(&pool).await.unwrap().is_empty());
    check(&pool, &index).await;
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_stopped_chain_is_stopped_after_a_restart(pool: PgPool) {
    let identity = chain(1, "us", Stream::Identity);
    let mut index = Index::new();
    let (_, applied) = seal(&mut index, &identity, vec![Operation::DropAll {}]);
    let stopped = index.halt(&identity, Halt::Gap, Some(Revision::first_epoch(7)));
    write(&mut pool.acquire().await.unwrap(), &[applied, stopped]).await.unwrap();
    check(&pool, &index).await;
    let restarted = load(&pool).await.unwrap();
    let standing = restarted.chain(&identity).unwrap().standing();
    assert_eq!((standing.head.state, standing.halt, standing.seen.number), (ChainState::Stopped, Some(Halt::Gap), 7));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn rows_changed_behind_our_back_are_noticed(pool: PgPool) {
    let identity = chain(1, "us", Stream::Identity);
    let mut index = Index::new();
    let active = Operation::PutOrganization { state: OrganizationState::Suspended };
    let (_, delta) = seal(&mut index, &identity, vec![active]);
    write(&mut pool.acquire().await.unwrap(), &[delta]).await.unwrap();
    sqlx::query("UPDATE organization SET state = 'active'").execute(&pool).await.unwrap();
    let head = index.head(&identity).unwrap();
    assert_ne!(recompute_digest(&pool, &identity).await.unwrap(), head.state_digest);
    let restarted = load(&pool).await.unwrap();
    assert_eq!(restarted.chain(&identity).unwrap().standing().halt, Some(Halt::StateMismatch));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn staged_change_sets_come_back_in_order(pool: PgPool) {
    let identity = chain(1, "us", Stream::Identity);
    let mut index = Index::new();
    let sets: Vec<_> = (0..4).map(|_| seal(&mut index, &identity, vec![Operation::DropAll {}]).0).collect();
    let mut conn = pool.acquire().await.unwrap();
    for set in [&sets[3], &sets[1], &sets[2], &sets[1]] {
        stage(&mut conn, identity.origin, set).await.unwrap();
    }
    let expected: Vec<_> = sets[1..].iter().map(|set| (identity.origin, set.clone())).collect();
    assert_eq!(staged(&pool).await.unwrap(), expected);
    unstage(&mut conn, &identity, Revision::first_epoch(3)).await.unwrap();
    assert_eq!(staged(&pool).await.unwrap(), [(identity.origin, sets[3].clone())]);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn nothing_to_write_is_nothing_written(pool: PgPool) {
    write(&mut pool.acquire().await.unwrap(), &[]).await.unwrap();
    assert!(load(&pool).await.unwrap().heads().next().is_none());
}
