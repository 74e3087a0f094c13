//! The log's way from one database through Kafka into another, on the official images: nothing of this machine's own
//! installation takes part. Needs a Docker engine; without one it says so and checks nothing, unless
//! `CI_REQUIRES_DOCKER=1`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use testcontainers_modules::kafka::apache::{KAFKA_PORT, Kafka};
use testcontainers_modules::postgres::Postgres;
use testcontainers_modules::testcontainers::runners::AsyncRunner;
use testcontainers_modules::testcontainers::{ContainerAsync, ImageExt};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;
use writ_contract::token_usage::TokenUsage;
use writ_contract::{Region, Timestamp, TokenId};
use writ_kafka::Connection;
use writ_kafka::topics;
use writ_log::consumer::{Consumer, ConsumerConfig, Projection, Subscription};
use writ_log::outbox::{Handover, Publisher, append};
use writ_log::{Compression, ConsumedRecord, Lease, LogProducer, Outgoing};

/// As `infra/kafka/pom.xml` and `docker-compose.yml` have them.
const KAFKA: &str = "4.3.1";
const POSTGRES: &str = "17";
const DEADLINE: Duration = Duration::from_secs(60);

/// Keeps the keys of what it reads.
struct Keys;

impl Projection for Keys {
    type Effects = Vec<String>;

    fn plan_one(&mut self, record: &ConsumedRecord, effects: &mut Vec<String>) {
        effects.push(String::from_utf8(record.key.clone().unwrap()).unwrap());
    }

    fn take_back(&mut self, _: Vec<String>) {}

    fn set_aside(&mut self, _: &ConsumedRecord, reason: &str, _: &mut Vec<String>) {
        panic!("{reason}");
    }

    async fn persist(&mut self, tx: &mut PgConnection, keys: &Vec<String>) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO seen SELECT * FROM unnest($1::text[])").bind(keys).execute(tx).await?;
        Ok(())
    }

    fn spans(_: &Vec<String>) -> &[Span] {
        &[]
    }

    fn committed(&mut self, _: Vec<String>) {}
}

/// The parts, which end when this goes out of scope.
struct Parts {
    pool: PgPool,
    kafka: Connection,
    _containers: (ContainerAsync<Kafka>, ContainerAsync<Postgres>),
}

impl Parts {
    async fn start() -> Self {
        let postgres = Postgres::default().with_tag(POSTGRES).start().await.unwrap();
        let kafka = Kafka::default().with_jvm_image().with_tag(KAFKA).start().await.unwrap();
        let host = postgres.get_host().await.unwrap();
        let port = postgres.get_host_port_ipv4(5432).await.unwrap();
        let pool = PgPool::connect(&format!("postgres://postgres:postgres@{host}:{port}/postgres")).await.unwrap();
        writ_log::MIGRATIONS.run(&pool).await.unwrap();
        sqlx::query("CREATE TABLE seen (key text)").execute(&pool).await.unwrap();
        let (host, port) = (kafka.get_host().await.unwrap(), kafka.get_host_port_ipv4(KAFKA_PORT).await.unwrap());
        Self { pool, kafka: Connection::plaintext(format!("{host}:{port}")), _containers: (kafka, postgres) }
    }

    /// Publishes records of these keys from the outbox, and returns when Kafka has them.
    async fn publish(&self, keys: &[Uuid]) {
        let region: Region = "us".parse().unwrap();
        let usage = |key: &Uuid| TokenUsage { token: TokenId::from_uuid(*key), region, last_used_at: Timestamp(1) };
        let record =
            |key: &Uuid| Outgoing::keyed(topics::TOKEN_USAGE, &key.to_string(), "urn:test", &usage(key)).unwrap();
        let mut tx = self.pool.begin().await.unwrap();
        let _read_from_the_table = append(&mut tx, keys.iter().map(record).collect()).await.unwrap();
        tx.commit().await.unwrap();
        let producer = LogProducer::connect(&self.kafka, "test", Compression::None).unwrap();
        let lease = Lease::acquire(&self.pool, "publisher").await;
        let (handover, stop) = (Handover::start(self.pool.clone()), CancellationToken::new());
        let publisher = Publisher::new(self.pool.clone(), handover, producer, lease, "us", "outbox");
        let running = tokio::spawn(publisher.run(stop.clone()));
        self.until("the outbox is empty", "SELECT count(*) = 0 FROM outbox").await;
        stop.cancel();
        running.await.unwrap().unwrap();
    }

    /// Reads from the position on, to the end of the topic.
    async fn read(&self) {
        let region = "us".parse().unwrap();
        let config = ConsumerConfig {
            kafka: self.kafka.clone(),
            client_id: "test".to_owned(),
            regions: vec![region],
            region,
            topics: vec![Subscription::everywhere(topics::TOKEN_USAGE)],
            gathering: Duration::ZERO,
        };
        let consumer = Consumer::new(config, self.pool.clone(), Lease::acquire(&self.pool, "reader").await);
        let (handle, stop) = (consumer.handle(), CancellationToken::new());
        let running = tokio::spawn(consumer.run(Keys, stop.clone()));
        tokio::time::timeout(DEADLINE, handle.until_caught_up()).await.unwrap();
        stop.cancel();
        running.await.unwrap().unwrap();
    }

    async fn seen(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT key FROM seen ORDER BY key").fetch_all(&self.pool).await.unwrap()
    }

    async fn until(&self, what: &str, condition: &'static str) {
        let holds = async {
            while !sqlx::query_scalar::<_, bool>(condition).fetch_one(&self.pool).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, holds).await.unwrap_or_else(|_| panic!("never: {what}"));
    }
}

/// Why there is no engine here.
fn no_engine() -> Option<String> {
    match Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("docker: {error}")),
    }
}

#[tokio::test]
async fn what_is_committed_arrives_once_on_the_official_images() {
    if let Some(reason) = no_engine() {
        assert!(std::env::var_os("CI_REQUIRES_DOCKER").is_none_or(|value| value != "1"), "no Docker engine: {reason}");
        // Not `eprintln`, which is not shown of a test that passes.
        writeln!(std::io::stderr(), "SKIPPED, nothing was checked: no Docker engine: {reason}").unwrap();
        return;
    }
    let parts = Parts::start().await;
    topics::ensure(&parts.kafka, &[]).await.unwrap();
    let mut keys: Vec<Uuid> = (0..50).map(|_| Uuid::now_v7()).collect();
    parts.publish(&keys[..30]).await;
    parts.read().await;
    parts.publish(&keys[30..]).await;
    parts.read().await;
    // The position is in PostgreSQL: nothing is read twice, and nothing is left out.
    keys.sort();
    assert_eq!(parts.seen().await, keys.iter().map(Uuid::to_string).collect::<Vec<_>>());
    let read: i64 = sqlx::query_scalar("SELECT sum(record_offset + 1)::bigint FROM position WHERE consumer = 'reader'")
        .fetch_one(&parts.pool)
        .await
        .unwrap();
    assert_eq!(read, 50);
}
