//! `writ-projector`: wiring only.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use sqlx::PgPool;
use writ_contract::decision::DecisionRecord;
use writ_contract::{Record, SchemaRegistry};
use writ_kafka::topics;
use writ_log::consumer::{Consumer, ConsumerConfig, ConsumerHandle, Projection, Subscription};
use writ_log::schemas::{Follower, FollowerConfig};
use writ_log::{Lease, Pace, Producer, schemas};
use writ_policy::Index;
use writ_projector::decisions::Recorder;
use writ_projector::freshness::Freshness;
use writ_projector::http::{Api, Parts};
use writ_projector::index::SharedIndex;
use writ_projector::read_model::{ReadModel, store};
use writ_projector::settings::Settings;
use writ_projector::{PROGRAM, decisions, http, metrics};
use writ_service::Service;
use writ_service::http::RequestLimits;

/// Bodies of up to a thousand evaluations.
const LARGEST_BODY: usize = 512 * 1024;

#[tokio::main]
async fn main() -> ExitCode {
    if writ_service::asked_to_migrate() {
        return writ_service::migrate(PROGRAM.name, &store::MIGRATOR).await;
    }
    writ_service::run(PROGRAM, wire).await
}

async fn wire(service: Service, settings: Settings) -> anyhow::Result<()> {
    let waiting = settings.waiting()?;
    let loading = service.health.check("read model");
    let pool = service.database(&settings.database_url, &store::MIGRATOR).await?;
    loading.fail("waiting for the lease");
    let lease = Lease::acquire(&pool, "projector").await;
    let producer = producer(&service).await?;
    loading.fail("learning schemas");
    let registry = SchemaRegistry::default();
    let follower = follow_schemas(&service, &registry).await?;

    loading.fail("loading");
    let index = SharedIndex::new(store::load(&pool).await?);
    let freshness = Freshness::new(settings.limits());
    let read_model = read_model(&service, &pool, &lease, registry, &index, &freshness).await?;
    loading.pass();

    let consumer = Consumer::new(consumer_config(&service), pool.clone(), lease);
    let handle = consumer.handle();
    let stop = service.shutdown.clone();
    service.spawn("consumer", async move {
        let _follower = follower;
        Ok(consumer.run(read_model, stop).await?)
    });
    show(&service, &index, &pool, handle.clone());
    let recorder = record_decisions(&service, producer);
    // What was in the log at start may revoke what is in the read model.
    handle.until_caught_up().await;
    let common = &service.common;
    let api = Api::new(Parts {
        region: common.region.clone(),
        regions: common.regions.clone(),
        public_url: settings.public_url(common.listen),
        platform: settings.platform_tokens(),
        consistency_key: settings.consistency_key,
        index,
        freshness,
        waiting,
        pool,
        recorder,
    });
    service.routes(http::router(api), RequestLimits { body: LARGEST_BODY, ..RequestLimits::default() });
    Ok(())
}

/// Has decisions sent to the log beside the answers.
fn record_decisions(service: &Service, producer: Producer) -> Recorder {
    let (recorder, sending) = decisions::recorder();
    let stop = service.shutdown.clone();
    service.spawn("decisions", async move {
        sending.run(producer, stop).await;
        Ok(())
    });
    recorder
}

/// Connects to Kafka and tells readers how this service writes.
async fn producer(service: &Service) -> anyhow::Result<Producer> {
    let producer =
        Producer::connect(&service.common.kafka(), PROGRAM.name, Pace::Together).context("WRIT_KAFKA_BROKERS")?;
    producer.warm_up(&[topics::DECISIONS, topics::SCHEMAS]).await;
    let source = format!("/{}/projector", service.common.region);
    schemas::publish(&producer, &source, &[DecisionRecord::schema()]).await?;
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
        topics: vec![Subscription::everywhere(topics::POLICY_CHANGES)],
    }
}

/// Continues from what is stored. This build may understand what an earlier one did not.
async fn read_model(
    service: &Service,
    pool: &PgPool,
    lease: &Lease,
    registry: SchemaRegistry,
    index: &SharedIndex,
    freshness: &Freshness,
) -> anyhow::Result<ReadModel> {
    let staged = writ_policy_store::staged(pool).await?;
    let region = service.common.region.as_str();
    let mut read_model = ReadModel::new(region, registry, index.clone(), freshness.clone(), staged);
    let effects = read_model.retry(store::parked(pool).await?);
    let mut tx = pool.begin().await?;
    lease.check(&mut tx).await?;
    store::write(&mut tx, &effects).await?;
    tx.commit().await?;
    read_model.committed(effects);
    Ok(read_model)
}

/// Readiness, status and gauges.
fn show(service: &Service, index: &SharedIndex, pool: &PgPool, handle: ConsumerHandle) {
    let consumer = handle.clone();
    service.health.watch("policy changes", move || match consumer.caught_up() {
        true => Ok(()),
        false => Err(consumer.status().kafka.unwrap_or_else(|| "catching up".to_owned())),
    });
    service.status("consumer", move || std::future::ready(json!(handle.status())));
    let shown = index.clone();
    service.status("chains", move || std::future::ready(json!(shown.read(Index::overview).ok())));
    let shown = index.clone();
    service.status_on_request("chains", "heads", move || {
        std::future::ready(json!(shown.read(Index::chain_statuses).ok()))
    });
    metrics::begin(&service.common.region, &service.common.regions);
    let measuring = metrics::run(index.clone(), pool.clone(), service.shutdown.clone());
    service.spawn("metrics", async {
        measuring.await;
        Ok(())
    });
}
