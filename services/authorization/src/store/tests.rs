use sqlx::PgPool;
use writ_contract::entity_event::EntityEventKind::Created;
use writ_contract::identity_event::Change;
use writ_contract::{ChainId, SchemaRegistry, Stream};
use writ_kafka::topics;
use writ_log::Record;
use writ_log::consumer::Projection;

use super::*;
use crate::policies::{Policies, SharedIndex};
use crate::testing::*;

fn announce(id: &str, entity_id: &str) -> Record {
    record(topics::ENTITY_EVENTS, organization(1), id, &entity(organization(1), Created, entity_id, None))
}

async fn write_batch(pool: &PgPool, policies: &mut Policies, batch: &[Record]) {
    let effects = policies.plan(batch);
    let mut tx = pool.begin().await.unwrap();
    policies.persist(&mut tx, &effects).await.unwrap();
    tx.commit().await.unwrap();
    policies.committed(effects);
}

/// What a new process begins with.
async fn restarted(pool: &PgPool) -> (Policies, SharedIndex) {
    let index = SharedIndex::new(load(pool).await.unwrap().into());
    let answered = answered::load(pool).await.unwrap();
    (Policies::new(REGION, SchemaRegistry::default(), index.clone(), answered), index)
}

fn heads(index: &SharedIndex) -> Vec<writ_policy::overview::ChainStatus> {
    index.read().unwrap().chain_statuses()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_new_process_continues_where_the_last_one_stopped(pool: PgPool) {
    let user = organization(9);
    let (mut policies, index) = policies();
    let first = [
        identity(organization(1), 1, vec![Change::OrganizationCreated { owner: user }, Change::UserInvited { user }]),
        announce("e1", "cp-1"),
        announce("e2", "white space"),
    ];
    write_batch(&pool, &mut policies, &first).await;

    let (mut policies, restored) = restarted(&pool).await;
    assert_eq!(heads(&restored), heads(&index));
    let again = policies.plan(&first);
    assert!(again.outgoing.is_empty() && again.deltas.is_empty(), "everything was answered: {again:?}");
    let next =
        policies.plan(&[identity(organization(1), 2, vec![Change::UserActivated { user }]), announce("e3", "cp-2")]);
    let revisions: Vec<_> = change_sets(&next.outgoing).into_iter().map(|(set, _)| set.revision).collect();
    assert_eq!(revisions, vec![2, 3]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn change_sets_and_dead_letters_are_in_the_outbox_in_order(pool: PgPool) {
    let (mut policies, _) = policies();
    write_batch(&pool, &mut policies, &[announce("e1", "cp-1"), announce("e2", "white space")]).await;
    let topics: Vec<String> =
        sqlx::query_scalar("SELECT topic FROM outbox ORDER BY id").fetch_all(&pool).await.unwrap();
    assert_eq!(topics, vec![topics::POLICY_CHANGES, topics::POLICY_CHANGES, topics::ENTITY_EVENTS_DLQ]);
    let answered: Vec<(String, i64, Option<String>)> =
        sqlx::query_as("SELECT id, revision, rejected FROM entity_event ORDER BY id").fetch_all(&pool).await.unwrap();
    let expected = vec![("e1".to_owned(), 1, None), ("e2".to_owned(), 2, Some("invalid_entity_id".to_owned()))];
    assert_eq!(answered, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_digests_can_be_recomputed_from_the_rows(pool: PgPool) {
    let (mut policies, index) = policies();
    let batch: Vec<_> = (0..20).map(|number| announce(&format!("e{number}"), &format!("cp-{}", number % 7))).collect();
    write_batch(&pool, &mut policies, &batch).await;
    let chain = ChainId { organization: organization(1), origin: REGION.into(), stream: Stream::Entities };
    let recomputed = writ_policy_store::recompute_digest(&pool, &chain).await.unwrap();
    assert_eq!(index.read().unwrap().head(&chain).unwrap().state_digest, recomputed);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_was_parked_is_tried_again_and_then_gone(pool: PgPool) {
    let user = organization(9);
    let (mut policies, _) = policies();
    let early = identity(organization(1), 2, vec![Change::UserActivated { user }]);
    write_batch(&pool, &mut policies, &[early]).await;
    assert_eq!(kept(&pool).await.unwrap().len(), 1);

    let first = identity(organization(1), 1, vec![Change::OrganizationCreated { owner: user }]);
    write_batch(&pool, &mut policies, &[first]).await;
    let (mut policies, index) = restarted(&pool).await;
    let effects = policies.retry(kept(&pool).await.unwrap());
    let mut tx = pool.begin().await.unwrap();
    write(&mut tx, &effects).await.unwrap();
    tx.commit().await.unwrap();
    assert!(kept(&pool).await.unwrap().is_empty());
    let (_, stored) = restarted(&pool).await;
    assert_eq!(heads(&stored), heads(&index));
    assert_eq!((heads(&stored)[0].revision, heads(&stored)[0].state), (2, "live"));
}
