//! `writ-authorization`: wiring only.

use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use anyhow::Context;
use serde::Deserialize;
use serde_json::json;
use sqlx::PgPool;
use writ_authorization::policies::{Policies, SharedIndex};
use writ_authorization::{PROGRAM, metrics, store};
use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::{Record, SchemaRegistry};
use writ_kafka::topics;
use writ_log::consumer::{Consumer, ConsumerConfig, ConsumerHandle, Projection, Subscription};
use writ_log::outbox::{Publisher, StatusHandle};
use writ_log::schemas::{Follower, FollowerConfig};
use writ_log::{Compression, Lease, Producer, schemas};
use writ_policy::Index;
use writ_service::{DatabaseUrl, Required, Service, ServiceSettings};

#[derive(Deserialize)]
struct Settings {
    database_url: DatabaseUrl,
}

impl ServiceSettings for Settings {
    const REQUIRED: Required = &[("database_url", "postgres://authorization@127.0.0.1:15432/authorization")];
}

#[tokio::main]
async fn main() -> ExitCode {
    if writ_service::asked_to_migrate() {
        return writ_service::migrate(PROGRAM.name, &store::MIGRATOR).await;
    }
    writ_service::run(PROGRAM, wire).await
}

async fn wire(service: Service, settings: Settings) -> anyhow::Result<()> {
    let loading = service.health.check("policies");
    let pool = service.database(&settings.database_url, &store::MIGRATOR).await?;
    loading.fail("waiting for the lease");
    let lease = Lease::acquire(&pool, "authorization").await;
    let producer = producer(&service).await?;
    loading.fail("learning schemas");
    let registry = SchemaRegistry::default();
    let follower = follow_schemas(&service, &registry).await?;

    loading.fail("loading");
    let region = service.common.region.as_str();
    let index: SharedIndex = Arc::new(RwLock::new(store::load(&pool).await?));
    let answered = store::answered::load(&pool).await?;
    let mut policies = Policies::new(region, registry, index.clone(), answered);
    retry_kept(&pool, &lease, &mut policies).await?;
    loading.pass();

    let publisher = Publisher::new(pool.clone(), producer, lease.clone(), region, "authorization");
    let outbox = publisher.handle();
    let stop = service.shutdown.clone();
    service.spawn("publisher", async move { Ok(publisher.run(stop).await?) });
    let consumer = Consumer::new(consumer_config(&service), pool.clone(), lease);
    let handle = consumer.handle();
    let stop = service.shutdown.clone();
    service.spawn("consumer", async move {
        let _follower = follower;
        Ok(consumer.run(policies, stop).await?)
    });
    show(&service, &index, handle, outbox);
    metrics::begin(region);
    let measuring = metrics::run(index, pool, service.shutdown.clone());
    service.spawn("metrics", async {
        measuring.await;
        Ok(())
    });
    Ok(())
}

/// Connects to Kafka and tells readers how this service writes.
async fn producer(service: &Service) -> anyhow::Result<Producer> {
    let producer =
        Producer::connect(&service.common.kafka(), PROGRAM.name, Compression::None).context("WRIT_KAFKA_BROKERS")?;
    producer.warm_up(&[topics::POLICY_CHANGES, topics::ENTITY_EVENTS_DLQ, topics::SCHEMAS]).await;
    let source = format!("/{}/authorization", service.common.region);
    schemas::publish(&producer, &source, &[ChangeSet::schema(), PolicyOps::schema()]).await?;
    Ok(producer)
}

/// Learns the schemas of all writers before their records are read.
async fn follow_schemas(service: &Service, registry: &SchemaRegistry) -> anyhow::Result<Follower> {
    let ConsumerConfig { kafka, client_id, region, regions, .. } = consumer_config(service);
    let config = FollowerConfig { kafka, client_id, region, regions };
    let follower = Follower::start(&config, registry.clone())?;
    follower.handle().until_caught_up().await;
    Ok(follower)
}

fn consumer_config(service: &Service) -> ConsumerConfig {
    ConsumerConfig {
        kafka: service.common.kafka(),
        client_id: PROGRAM.name.to_owned(),
        region: service.common.region.to_string(),
        regions: service.common.regions.iter().map(ToString::to_string).collect(),
        topics: vec![Subscription::local(topics::IDENTITY_EVENTS), Subscription::local(topics::ENTITY_EVENTS)],
    }
}

/// This build may understand what an earlier one did not.
async fn retry_kept(pool: &PgPool, lease: &Lease, policies: &mut Policies) -> anyhow::Result<()> {
    let effects = policies.retry(store::kept(pool).await?);
    let mut tx = pool.begin().await?;
    lease.check(&mut tx).await?;
    store::write(&mut tx, &effects).await?;
    tx.commit().await?;
    policies.committed(effects);
    Ok(())
}

/// Readiness, status and gauges.
fn show(service: &Service, index: &SharedIndex, handle: ConsumerHandle, outbox: StatusHandle) {
    let consumer = handle.clone();
    service.health.watch("events", move || match consumer.caught_up() {
        true => Ok(()),
        false => Err(consumer.status().kafka.unwrap_or_else(|| "catching up".to_owned())),
    });
    service.status("consumer", move || std::future::ready(json!(handle.status())));
    service.status("outbox", move || std::future::ready(json!(outbox.get())));
    let shown = index.clone();
    service.status("chains", move || std::future::ready(json!(read(&shown).overview())));
    let shown = index.clone();
    service.status_on_request("chains", "heads", move || std::future::ready(json!(read(&shown).chain_statuses())));
}

/// A panic while it was held has ended the process.
fn read(index: &RwLock<Index>) -> RwLockReadGuard<'_, Index> {
    index.read().unwrap_or_else(PoisonError::into_inner)
}
