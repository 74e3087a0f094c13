use sqlx::PgPool;
use writ_chains::{SharedIndex, parked, recompute_digest};
use writ_contract::entity_event::EntityEventKind::Created;
use writ_contract::identity_event::Change;
use writ_contract::{Revision, Stream, Timestamp, UserId};
use writ_kafka::topics;
use writ_log::ConsumedRecord;
use writ_log::consumer::Projection;
use writ_policy::overview::ChainStatus;
use writ_policy::{Halt, Index};

use super::*;
use crate::policies::Policies;
use crate::testing::*;

fn announce(id: &str, entity_id: &str) -> ConsumedRecord {
    announce_below(id, entity_id, None)
}

fn announce_below(id: &str, entity_id: &str, parent: Option<&str>) -> ConsumedRecord {
    let announced = record(ENTITY_EVENTS, organization(1), id, &entity(organization(1), Created, entity_id, parent));
    ConsumedRecord { timestamp: Timestamp::now(), ..announced }
}

async fn write_batch(pool: &PgPool, policies: &mut Policies, batch: &[ConsumedRecord]) {
    let effects = policies.plan(batch);
    let mut tx = pool.begin().await.unwrap();
    policies.persist(&mut tx, &effects).await.unwrap();
    tx.commit().await.unwrap();
    policies.committed(effects);
}

/// What a new process begins with.
async fn restarted(pool: &PgPool) -> (Policies, SharedIndex) {
    let index = SharedIndex::new(writ_chains::load(pool).await.unwrap());
    (remembering(index.clone(), load(pool).await.unwrap()), index)
}

fn heads(index: &SharedIndex) -> Vec<ChainStatus> {
    index.read(Index::chain_statuses)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_new_process_continues_where_the_last_one_stopped(pool: PgPool) {
    let (user, mut identity) = (UserId::generate(), IdentityEvents::default());
    let (mut policies, index) = policies();
    let first = [
        identity
            .record(organization(1), vec![Change::OrganizationCreated { owner: user }, Change::UserInvited { user }]),
        announce("e1", "cp-1"),
        announce("e2", "white space"),
    ];
    write_batch(&pool, &mut policies, &first).await;

    let (mut policies, restored) = restarted(&pool).await;
    assert_eq!(heads(&restored), heads(&index));
    let again = policies.plan(&first[..2]);
    assert!(again.own.outgoing.is_empty() && again.deltas.is_empty(), "everything was accepted: {again:?}");
    let next = policies
        .plan(&[identity.record(organization(1), vec![Change::UserActivated { user }]), announce("e3", "cp-2")]);
    let revisions: Vec<_> = change_sets(&next.own.outgoing).into_iter().map(|(set, _)| set.revision.number).collect();
    assert_eq!(revisions, vec![2, 2]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn change_sets_and_dead_letters_are_in_the_outbox_in_order(pool: PgPool) {
    let (mut policies, _) = policies();
    write_batch(&pool, &mut policies, &[announce("e1", "cp-1"), announce("e2", "white space")]).await;
    let topics: Vec<String> =
        sqlx::query_scalar("SELECT topic FROM outbox ORDER BY id").fetch_all(&pool).await.unwrap();
    assert_eq!(topics, vec![topics::POLICY_CHANGES, &topics::dead_letter(ENTITY_EVENTS)]);
    let answered: Vec<(String, i64)> =
        sqlx::query_as("SELECT id, revision FROM entity_event ORDER BY id").fetch_all(&pool).await.unwrap();
    assert_eq!(answered, vec![("e1".to_owned(), 1)]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_digests_can_be_recomputed_from_the_rows(pool: PgPool) {
    let (mut policies, index) = policies();
    let batch: Vec<_> = (0..20).map(|number| announce(&format!("e{number}"), &format!("cp-{}", number % 7))).collect();
    write_batch(&pool, &mut policies, &batch).await;
    let chain = chain(1, Stream::Entities);
    let recomputed = recompute_digest(&pool, &chain).await.unwrap();
    assert_eq!(index.read(|index| index.head(&chain).unwrap().state_digest), recomputed);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_was_parked_is_tried_again_and_then_gone(pool: PgPool) {
    let (user, mut identity) = (UserId::generate(), IdentityEvents::default());
    let (mut policies, _) = policies();
    let [first, early] = [Change::OrganizationCreated { owner: user }, Change::UserActivated { user }]
        .map(|change| identity.record(organization(1), vec![change]));
    write_batch(&pool, &mut policies, &[early]).await;
    assert_eq!(parked(&pool).await.unwrap().len(), 1);

    write_batch(&pool, &mut policies, &[first]).await;
    let (mut policies, index) = restarted(&pool).await;
    let effects = policies.retry_all(parked(&pool).await.unwrap());
    let mut tx = pool.begin().await.unwrap();
    let _sent_from_the_table = write(&mut tx, &effects).await.unwrap();
    tx.commit().await.unwrap();
    assert!(parked(&pool).await.unwrap().is_empty());
    let (_, stored) = restarted(&pool).await;
    assert_eq!(heads(&stored), heads(&index));
    assert_eq!((heads(&stored)[0].revision, heads(&stored)[0].state), (Revision::first_epoch(2), "live"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_fork_is_recognized_after_a_restart(pool: PgPool) {
    let (user, mut identity) = (UserId::generate(), IdentityEvents::default());
    let (mut policies, _) = policies();
    let first = identity.record(organization(1), vec![Change::OrganizationCreated { owner: user }]);
    let mut lost = identity.clone();
    let second = identity.record(organization(1), vec![Change::UserInvited { user }]);
    write_batch(&pool, &mut policies, std::slice::from_ref(&first)).await;
    write_batch(&pool, &mut policies, std::slice::from_ref(&second)).await;

    let (mut policies, index) = restarted(&pool).await;
    assert!(policies.plan(&[first, second]).parked.is_empty(), "a repetition");
    let other = lost.record(organization(1), vec![]);
    write_batch(&pool, &mut policies, &[other]).await;
    let halt =
        |index: &SharedIndex| index.read(|index| index.chain(&chain(1, Stream::Identity)).unwrap().standing().halt);
    assert_eq!(halt(&index), Some(Halt::Fork));
    assert_eq!(halt(&restarted(&pool).await.1), Some(Halt::Fork));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn accepted_events_and_the_directory_are_remembered(pool: PgPool) {
    let (mut policies, _) = policies();
    let child = || announce_below("e1", "child", Some("cp-1"));
    write_batch(&pool, &mut policies, &[child(), child(), announce("e2", "cp-1")]).await;
    let (mut policies, _) = restarted(&pool).await;
    write_batch(&pool, &mut policies, &[child()]).await;
    let answered: Vec<(String, i64)> =
        sqlx::query_as("SELECT id, revision FROM entity_event ORDER BY id").fetch_all(&pool).await.unwrap();
    assert_eq!(answered, vec![("e1".to_owned(), 2), ("e2".to_owned(), 1)]);

    let listed = crate::directory::Listed { revision: Revision::first_epoch(7), deleted: true };
    let mut tx = pool.begin().await.unwrap();
    directory::put(&mut tx, &[(organization(3), listed)].into()).await.unwrap();
    tx.commit().await.unwrap();
    let (mut policies, _) = restarted(&pool).await;
    assert_eq!(policies.directory().all()[&organization(3)], listed);
    let effects = policies.plan(&[child(), announce("e1", "another")]);
    assert_eq!(dead_letters(&effects.own.outgoing), vec!["ce_id_reused"]);
    assert!(effects.deltas.is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn old_events_are_forgotten(pool: PgPool) {
    let old = ConsumedRecord { timestamp: Timestamp(1_000_000), ..announce("e1", "cp-1") };
    write_batch(&pool, &mut policies().0, &[old, announce("e2", "cp-2")]).await;
    assert!(!answered::forget_old(pool.clone()).await.unwrap());
    let left: Vec<String> = sqlx::query_scalar("SELECT id FROM entity_event").fetch_all(&pool).await.unwrap();
    assert_eq!(left, ["e2"]);
}
