use tokio::task::JoinHandle;
use writ_kafka::Connection;

use super::*;
use crate::Compression;
use crate::outbox::{Appended, append};
use crate::testing::{Cluster, cluster, count, high_watermark, outgoing, read, until};

const ROWS: &str = "SELECT count(*) FROM outbox";

type Running = (JoinHandle<Result<(), PublishError>>, CancellationToken, StatusHandle);

async fn publish(pool: &PgPool, cluster: &Cluster) -> Running {
    publish_handed(pool, &Handover::start(pool.clone()), cluster).await
}

async fn publish_handed(pool: &PgPool, handover: &Handover, cluster: &Cluster) -> Running {
    let producer =
        LogProducer::connect(&Connection::plaintext(cluster.bootstrap_servers()), "test", Compression::None).unwrap();
    let lease = Lease::acquire(pool, "test").await;
    let publisher = Publisher::new(pool.clone(), handover.clone(), producer, lease, "us", "outbox");
    let (shutdown, handle) = (CancellationToken::new(), publisher.handle());
    (tokio::spawn(publisher.run(shutdown.clone())), shutdown, handle)
}

async fn commit(pool: &PgPool, key: &str, values: std::ops::Range<usize>) {
    let _in_the_table = commit_for(pool, key, values).await;
}

async fn commit_for(pool: &PgPool, key: &str, values: std::ops::Range<usize>) -> Appended {
    let records: Vec<_> = values.map(|value| outgoing("t", key, &format!("{key}-{value:05}"))).collect();
    let mut tx = pool.begin().await.unwrap();
    let appended = append(&mut tx, records).await.unwrap();
    tx.commit().await.unwrap();
    appended
}

fn values(records: &[crate::ConsumedRecord], key: &str) -> Vec<String> {
    let of_key = records.iter().filter(|record| record.key.as_deref() == Some(key.as_bytes()));
    of_key.map(|record| String::from_utf8(record.value.clone().unwrap()).unwrap()).collect()
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn all_that_is_committed_arrives_once_and_in_order(pool: PgPool) {
    let cluster = cluster(&[("t", 4)]);
    commit(&pool, "a", 0..1_300).await;
    let (running, shutdown, _) = publish(&pool, &cluster).await;
    for round in 0..20 {
        commit(&pool, "a", 1_300 + round * 3..1_303 + round * 3).await;
        commit(&pool, "b", round..round + 1).await;
    }
    until("outbox empty", async || count(&pool, ROWS).await == 0).await;
    shutdown.cancel();
    running.await.unwrap().unwrap();
    let records = read(&cluster, "t", 4, 1_380);
    assert_eq!(values(&records, "a"), (0..1_360).map(|n| format!("a-{n:05}")).collect::<Vec<_>>());
    assert_eq!(values(&records, "b"), (0..20).map(|n| format!("b-{n:05}")).collect::<Vec<_>>());
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_late_commit_is_not_skipped_and_a_rollback_not_published(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    let mut late = pool.begin().await.unwrap();
    let _late = append(&mut late, vec![outgoing("t", "late", "late-0")]).await.unwrap();
    let mut never = pool.begin().await.unwrap();
    let _never = append(&mut never, vec![outgoing("t", "never", "never-0")]).await.unwrap();
    let (_running, _shutdown, _) = publish(&pool, &cluster).await;
    commit(&pool, "early", 0..1).await;
    until("outbox empty", async || count(&pool, ROWS).await == 0).await;
    late.commit().await.unwrap();
    never.rollback().await.unwrap();
    until("late row published", async || count(&pool, ROWS).await == 0).await;
    let records = read(&cluster, "t", 1, 2);
    assert_eq!(values(&records, "early"), ["early-00000"]);
    assert_eq!(values(&records, "late"), ["late-0"]);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn it_waits_for_kafka_and_says_so(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    cluster.broker_down(1).unwrap();
    commit(&pool, "a", 0..10).await;
    let (_running, _shutdown, handle) = publish(&pool, &cluster).await;
    until("reason visible", async || handle.get().waiting.is_some() && handle.get().depth == 10).await;
    cluster.broker_up(1).unwrap();
    until("outbox empty", async || count(&pool, ROWS).await == 0).await;
    assert_eq!(values(&read(&cluster, "t", 1, 10), "a"), (0..10).map(|n| format!("a-{n:05}")).collect::<Vec<_>>());
    until("reason gone", async || handle.get().waiting.is_none()).await;
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_superseded_publisher_removes_nothing_and_stops(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    let (running, _shutdown, _) = publish(&pool, &cluster).await;
    sqlx::query("UPDATE lease SET fence = fence + 1").execute(&pool).await.unwrap();
    commit(&pool, "a", 0..1).await;
    assert!(matches!(running.await.unwrap(), Err(PublishError::Lease(LeaseError::Lost(_)))));
    assert_eq!(count(&pool, ROWS).await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn what_kafka_would_never_take_is_refused_at_once(pool: PgPool) {
    let mut record = outgoing("t", "a", "large");
    record.value = Some(vec![0; 1_048_576]);
    let refused = append(&mut pool.acquire().await.unwrap(), vec![record]).await;
    assert!(matches!(refused, Err(sqlx::Error::Encode(_))));
}

/// Two processes write one key in turn; the publisher runs in one of them.
#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn what_is_handed_over_arrives_in_order_with_what_is_in_the_table(pool: PgPool) {
    let cluster = cluster(&[("t", 2)]);
    let handover = Handover::start(pool.clone());
    commit(&pool, "a", 0..700).await;
    let (running, shutdown, _) = publish_handed(&pool, &handover, &cluster).await;
    let mut next = 700;
    for round in 0..200 {
        let appended = commit_for(&pool, "a", next..next + 3).await;
        // Every now and then the transaction before was one of the other process.
        if round % 7 == 0 {
            handover.wake()
        } else {
            handover.committed(appended)
        }
        next += 3;
    }
    until("outbox empty", async || count(&pool, ROWS).await == 0).await;
    shutdown.cancel();
    running.await.unwrap().unwrap();
    let records = read(&cluster, "t", 2, next);
    assert_eq!(values(&records, "a"), (0..next).map(|n| format!("a-{n:05}")).collect::<Vec<_>>());
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn what_is_handed_over_is_sent_without_a_look_at_the_table(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    let handover = Handover::start(pool.clone());
    let (_running, _shutdown, _) = publish_handed(&pool, &handover, &cluster).await;
    let mut arrived = 0;
    until("a record that is in no table", async || {
        arrived += 1;
        let record = outgoing("t", "a", &format!("a-{arrived:05}"));
        handover.committed(Appended(vec![OutboxRow { id: arrived, record }]));
        high_watermark(&cluster, "t") > 0
    })
    .await;
}
