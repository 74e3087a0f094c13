use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;
use writ_kafka::Connection;

use super::*;
use crate::testing::{Cluster, cluster, config, count, outgoing, raw, read, until};
use crate::{Compression, EnvelopeError, LogProducer};

const VALUES: &str = "SELECT count(*) FROM seen";

/// Keeps the values it sees, in PostgreSQL and in memory.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn values(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Projection for Seen {
    type Effects = Vec<String>;

    fn plan_one(&mut self, record: &ConsumedRecord, effects: &mut Vec<String>) {
        effects.push(format!("{}:{}", record.topic, record.header("ce_id").unwrap()));
    }

    fn take_back(&mut self, _: Vec<String>) {}

    fn set_aside(&mut self, record: &ConsumedRecord, reason: &str, effects: &mut Vec<String>) {
        effects.push(format!("{} {}: {reason}", record.topic, record.offset));
    }

    async fn persist(&mut self, tx: &mut PgConnection, effects: &Vec<String>) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO seen SELECT * FROM UNNEST($1::text[])").bind(effects).execute(tx).await?;
        Ok(())
    }

    fn spans(_: &Vec<String>) -> &[Span] {
        &[]
    }

    fn committed(&mut self, effects: Vec<String>) {
        self.0.lock().unwrap().extend(effects);
    }
}

struct Running {
    seen: Seen,
    handle: ConsumerHandle,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ConsumerError>>,
}

impl Running {
    async fn stop(self) -> Vec<String> {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
        self.seen.values()
    }
}

async fn consume(pool: &PgPool, cluster: &Cluster) -> Running {
    consume_holding(pool, cluster, |_| false).await
}

async fn consume_holding(
    pool: &PgPool,
    cluster: &Cluster,
    must_wait: impl Fn(&ConsumedRecord) -> bool + Send + Sync + 'static,
) -> Running {
    sqlx::query("CREATE TABLE IF NOT EXISTS seen (value text)").execute(pool).await.unwrap();
    let config = ConsumerConfig {
        regions: vec!["eu".parse().unwrap(), "us".parse().unwrap()],
        topics: vec![Subscription::everywhere("t")],
        ..config(Connection::plaintext(cluster.bootstrap_servers()))
    };
    let consumer = Consumer::new(config, pool.clone(), Lease::acquire(pool, "test").await).holding_back(must_wait);
    let (seen, handle, shutdown) = (Seen::default(), consumer.handle(), CancellationToken::new());
    let task = tokio::spawn(consumer.run(seen.clone(), shutdown.clone()));
    Running { seen, handle, shutdown, task }
}

async fn produce(cluster: &Cluster, topic: &str, values: &[&str]) {
    let producer =
        LogProducer::connect(&Connection::plaintext(cluster.bootstrap_servers()), "test", Compression::None).unwrap();
    for value in values {
        producer.send(outgoing(topic, "key", value)).await.unwrap();
    }
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_restart_goes_on_behind_the_position(pool: PgPool) {
    let cluster = cluster(&[("t", 2)]);
    produce(&cluster, "t", &["1", "2", "3"]).await;
    let first = consume(&pool, &cluster).await;
    first.handle.until_caught_up().await;
    assert_eq!(first.stop().await, ["t:1", "t:2", "t:3"]);

    produce(&cluster, "t", &["4"]).await;
    let second = consume(&pool, &cluster).await;
    second.handle.until_caught_up().await;
    assert_eq!(second.stop().await, ["t:4"]);

    let third = consume(&pool, &cluster).await;
    third.handle.until_caught_up().await;
    assert!(third.stop().await.is_empty());
    assert_eq!(count(&pool, VALUES).await, 4);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_record_that_must_wait_holds_up_its_partition_alone(pool: PgPool) {
    let cluster = cluster(&[("t", 1), ("us.t", 1)]);
    let released = Arc::new(AtomicBool::new(false));
    let release = released.clone();
    let must_wait = move |record: &ConsumedRecord| {
        !release.load(Ordering::Relaxed) && record.value.as_deref().is_some_and(|value| value.starts_with(b"waits"))
    };
    let running = consume_holding(&pool, &cluster, must_wait).await;
    produce(&cluster, "t", &["1", "waits", "3"]).await;
    until("the one before", async || running.seen.values().len() == 1).await;
    produce(&cluster, "us.t", &["other"]).await;
    until("another partition", async || running.seen.values() == ["t:1", "us.t:other"]).await;
    produce(&cluster, "t", &["4"]).await;
    released.store(true, Ordering::Relaxed);
    until("all", async || running.seen.values().len() == 5).await;
    assert_eq!(running.stop().await[2..], ["t:waits", "t:3", "t:4"]);
    // The positions are behind all of them.
    let next = consume(&pool, &cluster).await;
    next.handle.until_caught_up().await;
    assert!(next.stop().await.is_empty());
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn compressed_records_are_read_like_any_other(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    let kafka = Connection::plaintext(cluster.bootstrap_servers());
    let producer = LogProducer::connect(&kafka, "test", Compression::Zstd).unwrap();
    let large = "decision ".repeat(50_000);
    producer.send(outgoing("t", "key", &large)).await.unwrap();
    let reader = consume(&pool, &cluster).await;
    reader.handle.until_caught_up().await;
    assert_eq!(reader.stop().await, [format!("t:{large}")]);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn another_log_under_the_same_name_is_read_whole(pool: PgPool) {
    let before = cluster(&[("t", 1)]);
    produce(&before, "t", &["1", "2"]).await;
    let first = consume(&pool, &before).await;
    first.handle.until_caught_up().await;
    first.stop().await;

    let longer = cluster(&[("t", 1)]);
    produce(&longer, "t", &["a", "b", "c"]).await;
    let second = consume(&pool, &longer).await;
    second.handle.until_caught_up().await;
    assert_eq!(second.stop().await, ["t:a", "t:b", "t:c"]);

    let shorter = cluster(&[("t", 1)]);
    produce(&shorter, "t", &["x"]).await;
    let third = consume(&pool, &shorter).await;
    third.handle.until_caught_up().await;
    assert_eq!(third.stop().await, ["t:x"]);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_region_that_comes_later_is_found(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    let running = consume(&pool, &cluster).await;
    running.handle.until_caught_up().await;
    cluster.create_topic("us.t", 1, 1).unwrap();
    cluster.create_topic("au.t", 1, 1).unwrap();
    produce(&cluster, "au.t", &["unknown region"]).await;
    produce(&cluster, "us.t", &["1"]).await;
    produce(&cluster, "t", &["2"]).await;
    until("both seen", async || running.seen.values().len() == 2).await;
    let status = running.handle.status();
    let read: Vec<_> = status.partitions.iter().map(|p| (p.topic.as_str(), p.position)).collect();
    assert_eq!(read, [("t", 1), ("us.t", 1)]);
    assert!(!running.stop().await.contains(&"au.t:unknown region".to_owned()));
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn it_waits_for_kafka_and_says_so(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    produce(&cluster, "t", &["1"]).await;
    cluster.broker_down(1).unwrap();
    let running = consume(&pool, &cluster).await;
    until("reason visible", async || running.handle.status().kafka.is_some()).await;
    assert!(!running.handle.caught_up());
    cluster.broker_up(1).unwrap();
    running.handle.until_caught_up().await;
    until("reason gone", async || running.handle.status().kafka.is_none()).await;
    assert_eq!(running.stop().await, ["t:1"]);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_superseded_consumer_stops(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    let running = consume(&pool, &cluster).await;
    running.handle.until_caught_up().await;
    sqlx::query("UPDATE lease SET fence = fence + 1").execute(&pool).await.unwrap();
    produce(&cluster, "t", &["1"]).await;
    assert!(matches!(running.task.await.unwrap(), Err(ConsumerError::Lease(LeaseError::Lost(_)))));
    assert_eq!(count(&pool, VALUES).await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_record_with_any_bytes_for_headers_stops_nobody(pool: PgPool) {
    let cluster = cluster(&[("t", 1)]);
    let broker = cluster.bootstrap_servers();
    let names: [&[u8]; 4] = [b"\xff\xfe", b"\xff=x", b"", &[b'\xc3'; 300]];
    for name in names {
        raw::produce(&broker, "t", b"key", &[(name, b"\xff"), (b"ce_id", b"1")], b"value");
    }
    raw::produce(&broker, "t", b"key", &[], b"no headers");
    produce(&cluster, "t", &["2"]).await;
    let reader = consume(&pool, &cluster).await;
    reader.handle.until_caught_up().await;
    // This projection panics without an id.
    assert_eq!(reader.stop().await, ["t:1", "t:1", "t:1", "t:1", "t 4: processing it panics", "t:2"]);
}

#[test]
fn what_is_not_utf8_in_a_name_is_replaced_and_the_record_has_no_envelope() {
    let cluster = cluster(&[("t", 1)]);
    let good = outgoing("t", "key", "1").headers;
    let mut headers: Vec<(&[u8], &[u8])> = good.iter().map(|(name, value)| (name.as_bytes(), &value[..])).collect();
    raw::produce(&cluster.bootstrap_servers(), "t", b"key", &headers, b"value");
    headers.push((b"\xff\xfe", b"\0\xff"));
    raw::produce(&cluster.bootstrap_servers(), "t", b"key", &headers, b"value");
    let [intact, broken] = read(&cluster, "t", 1, 2).try_into().unwrap();
    assert_eq!((&intact.headers, intact.envelope().unwrap().id), (&good, "1".to_owned()));
    assert_eq!(broken.headers.last(), Some(&("\u{FFFD}\u{FFFD}".to_owned(), b"\0\xff".to_vec())));
    assert_eq!(broken.envelope(), Err(EnvelopeError::Name));
}
