//! What is written is what is read: random sequences of change sets, batched at random.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::PgPool;
use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::identity_event::{Effect, OrganizationState, TokenKind};
use writ_contract::policy_change::{ChainState, ChangeSet, Operation, PrincipalKind};
use writ_contract::{ChainId, Hash, Stream, Timestamp};
use writ_policy::{Delta, Halt, Header, Index, Position, Row, RowKey, Standing};

use super::*;

fn chain(number: u128, origin: &str, stream: Stream) -> ChainId {
    ChainId { organization: Uuid::from_u128(number), origin: origin.to_owned(), stream }
}

fn seal(index: &mut Index, chain: &ChainId, ops: Vec<Operation>) -> (ChangeSet, Delta) {
    let position = index.chain(chain).map_or(Position::START.next(), writ_policy::Chain::next);
    let committed_at = Timestamp(position.revision * 10);
    let actor = Actor::system("test");
    index
        .seal(chain, Header { position, committed_at, actor, cause: None, request_id: None, rejected: None }, ops)
        .unwrap()
}

fn id() -> impl Strategy<Value = Uuid> {
    (0..6_u128).prop_map(Uuid::from_u128)
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(&["a", "b", "ü,{}\"", "d"][..]).prop_map(str::to_owned)
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of(any::<i64>().prop_map(Timestamp))
}

fn put() -> impl Strategy<Value = Operation> {
    let texts = || prop::collection::vec(text(), 0..4);
    let scope = (prop::option::of(text()), prop::option::of(text()), time(), time(), prop::option::of(id()));
    prop_oneof![
        any::<bool>().prop_map(|active| Operation::PutOrganization {
            state: if active { OrganizationState::Active } else { OrganizationState::Suspended }
        }),
        (id(), any::<bool>(), 0..3_usize).prop_map(|(id, active, kind)| {
            let kinds = [PrincipalKind::User, PrincipalKind::Team, PrincipalKind::SystemAccount];
            Operation::PutPrincipal { id, kind: kinds[kind], active }
        }),
        (id(), id(), time(), time()).prop_map(|(team, member, valid_from, valid_until)| Operation::PutBinding {
            team,
            member,
            valid_from,
            valid_until
        }),
        (text(), text(), texts(), texts()).prop_map(|(role, entity_type, actions, covers_children)| {
            Operation::PutRole { role, entity_type, actions, covers_children }
        }),
        (id(), id(), text(), text(), scope).prop_map(
            |(id, principal, role, entity_type, (entity_id, region, valid_from, valid_until, condition))| {
                Operation::PutGrant {
                    id,
                    principal,
                    role,
                    entity_type,
                    entity_id,
                    region,
                    valid_from,
                    valid_until,
                    condition,
                }
            }
        ),
        (id(), any::<[u8; 32]>(), id(), any::<i64>(), 0..3_usize).prop_map(|(id, hash, principal, until, kind)| {
            let kinds = [TokenKind::Personal, TokenKind::SystemAccount, TokenKind::Invite];
            let expires_at = Timestamp(until);
            Operation::PutToken { id, hash: Hash(hash), principal, kind: kinds[kind], expires_at }
        }),
        (id(), text(), any::<bool>()).prop_map(|(id, cedar_json, forbid)| {
            let effect = if forbid { Effect::Forbid } else { Effect::When };
            Operation::PutCondition { id, effect, cedar_json }
        }),
    ]
}

fn entity() -> impl Strategy<Value = Operation> {
    let name = || prop::sample::select(&["x", "y", "z", "w"][..]).prop_map(str::to_owned);
    let entity_type = || "planes".to_owned();
    prop_oneof![
        3 => (name(), prop::option::of(name())).prop_map(move |(id, parent_id)| {
            let parent_type = parent_id.is_some().then(entity_type);
            Operation::PutEntity { entity_type: entity_type(), id, parent_type, parent_id }
        }),
        1 => name().prop_map(move |id| Operation::DropEntity { entity_type: entity_type(), id }),
    ]
}

fn drop_of() -> impl Strategy<Value = Operation> {
    prop_oneof![
        Just(Operation::DropAll {}),
        id().prop_map(|id| Operation::DropPrincipal { id }),
        (id(), id()).prop_map(|(team, member)| Operation::DropBinding { team, member }),
        text().prop_map(|role| Operation::DropRole { role }),
        id().prop_map(|id| Operation::DropGrant { id }),
        id().prop_map(|id| Operation::DropToken { id }),
        id().prop_map(|id| Operation::DropCondition { id }),
    ]
}

/// Change sets of some chains, in batches.
fn batches() -> impl Strategy<Value = Vec<Vec<(usize, Vec<Operation>)>>> {
    let operation = prop_oneof![6 => put(), 3 => entity(), 2 => drop_of()];
    let set = (0..4_usize, prop::collection::vec(operation, 0..8));
    prop::collection::vec(prop::collection::vec(set, 1..6), 1..10)
}

type Chains = BTreeMap<ChainId, (Standing, BTreeMap<RowKey, Row>)>;

fn by_key(rows: impl IntoIterator<Item = Row>) -> BTreeMap<RowKey, Row> {
    rows.into_iter().map(|row| (row.key(), row)).collect()
}

fn in_memory(index: &Index) -> Chains {
    let chains = index.heads().map(|standing| index.chain(&standing.head.chain).unwrap());
    chains.map(|chain| (chain.id().clone(), (chain.standing().clone(), by_key(chain.rows().iter())))).collect()
}

async fn check(pool: &PgPool, index: &Index) {
    let stored = load(pool).await.unwrap();
    let found: Chains = stored
        .iter()
        .map(|(standing, rows)| (standing.head.chain.clone(), (standing.clone(), by_key(rows.clone()))))
        .collect();
    assert_eq!(found, in_memory(index));
    let mut reloaded = Index::new();
    for (standing, rows) in stored {
        assert_eq!(recompute_digest(pool, &standing.head.chain).await.unwrap(), standing.head.state_digest);
        reloaded.load(standing, rows).unwrap();
    }
    assert_eq!(in_memory(&reloaded), in_memory(index));
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
        sqlx::query("TRUNCATE chain, organization, principal, binding, role, \"grant\", token, condition, entity")
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
    let user = |active| Operation::PutPrincipal { id: Uuid::nil(), kind: PrincipalKind::User, active };
    let gone = Operation::DropPrincipal { id: Uuid::nil() };
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
    let stopped = index.halt(&identity, Halt::Gap, Some(Position { epoch: 1, revision: 7 }));
    write(&mut pool.acquire().await.unwrap(), &[applied, stopped]).await.unwrap();
    check(&pool, &index).await;
    let (standing, _) = load(&pool).await.unwrap().remove(0);
    assert_eq!((standing.head.state, standing.halt, standing.seen.revision), (ChainState::Stopped, Some(Halt::Gap), 7));
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
    let (standing, rows) = load(&pool).await.unwrap().remove(0);
    assert!(Index::new().load(standing, rows).is_err());
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn staged_change_sets_come_back_in_order(pool: PgPool) {
    let identity = chain(1, "us", Stream::Identity);
    let mut index = Index::new();
    let sets: Vec<_> = (0..4).map(|_| seal(&mut index, &identity, vec![Operation::DropAll {}]).0).collect();
    let mut conn = pool.acquire().await.unwrap();
    for set in [&sets[3], &sets[1], &sets[2], &sets[1]] {
        stage(&mut conn, "us", set).await.unwrap();
    }
    let expected: Vec<_> = sets[1..].iter().map(|set| ("us".to_owned(), set.clone())).collect();
    assert_eq!(staged(&pool).await.unwrap(), expected);
    let at = |revision| Position { epoch: 1, revision };
    unstage(&mut conn, &identity, at(3)).await.unwrap();
    assert_eq!(staged(&pool).await.unwrap(), [("us".to_owned(), sets[3].clone())]);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn nothing_to_write_is_nothing_written(pool: PgPool) {
    write(&mut pool.acquire().await.unwrap(), &[]).await.unwrap();
    assert!(load(&pool).await.unwrap().is_empty());
}
