//! `writ-projector`: wiring only.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use sqlx::PgPool;
use writ_chains::SharedIndex;
use writ_contract::decision::DecisionBatch;
use writ_contract::{Record, SchemaRegistry};
use writ_kafka::topics;
use writ_log::consumer::{Consumer, Subscription};
use writ_log::{Compression, Lease, LogProducer, retention, schemas};
use writ_policy::Index;
use writ_projector::app::ReadApp;
use writ_projector::decisions::DecisionRecorder;
use writ_projector::freshness::Freshness;
use writ_projector::read_model::{MIGRATOR, ReadModel, applied_events};
use writ_projector::settings::ProjectorSettings;
use writ_projector::{PROGRAM, decisions, http, metrics};
use writ_service::Service;
use writ_service::http::RequestLimits;

/// Bodies of up to a thousand evaluations.
const MAX_BODY: usize = 512 * 1024;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    if writ_service::asked_to_migrate() {
        return writ_service::migrate(PROGRAM.name, &MIGRATOR).await;
    }
    writ_service::run(PROGRAM, wire).await
}

async fn wire(service: Service, settings: ProjectorSettings) -> anyhow::Result<()> {
    let wait_times = settings.wait_times()?;
    let loading = service.health.check("read model");
    let pool = service.database(&settings.database_url, &MIGRATOR).await?;
    loading.fail("waiting for the lease");
    let lease = Lease::acquire(&pool, "projector").await;
    let producer = producer(&service).await?;
    loading.fail("learning schemas");
    let registry = SchemaRegistry::default();
    let follower = service.learn_schemas(&registry).await?;

    loading.fail("loading");
    let index = SharedIndex::new(writ_chains::load(&pool).await?.limited(settings.limits()));
    let freshness = Freshness::new(settings.waiter_limits());
    let region = service.common.region;
    let staged = writ_chains::staged(&pool).await?;
    let mut read_model = ReadModel::new(region, registry, index.clone(), freshness.clone(), staged);
    // This build may understand what an earlier one did not.
    writ_chains::retry_parked(&pool, &lease, &index, &mut read_model, ReadModel::retry).await?;
    loading.pass();

    let topics = vec![Subscription::everywhere(topics::POLICY_CHANGES)];
    let consumer = Consumer::new(service.consumer_config(topics), pool.clone(), lease);
    let handle = consumer.handle();
    service.show_consumer("policy changes", handle.clone());
    let stop = service.shutdown.clone();
    service.spawn("consumer", async move {
        let _follower = follower;
        Ok(consumer.run(read_model, stop).await?)
    });
    show(&service, &index, &pool);
    let (forgetting, stop) = (pool.clone(), service.shutdown.clone());
    service.spawn("retention", async move {
        retention::run(forgetting, stop, applied_events::forget_old).await;
        Ok(())
    });
    let recorder = record_decisions(&service, producer);
    // What was on the log at start may revoke what is in the read model.
    handle.until_caught_up().await;
    let app = ReadApp {
        region,
        regions: service.common.regions.clone(),
        public_url: settings.public_url(),
        platform: settings.platform_tokens(),
        consistency_key: settings.consistency_key,
        index,
        freshness,
        wait_times,
        pool,
        recorder,
    };
    service.routes(http::router(app), RequestLimits { body: MAX_BODY, ..RequestLimits::default() });
    Ok(())
}

/// Sends decisions to the log, in the background.
fn record_decisions(service: &Service, producer: LogProducer) -> DecisionRecorder {
    let (recorder, sender) = decisions::recorder(service.common.region);
    let stop = service.shutdown.clone();
    service.spawn("decisions", async move {
        sender.run(producer, stop).await;
        Ok(())
    });
    recorder
}

/// Connects to Kafka, and publishes the schemas that this service writes.
async fn producer(service: &Service) -> anyhow::Result<LogProducer> {
    let producer =
        LogProducer::connect(&service.common.kafka(), PROGRAM.name, Compression::Zstd).context("WRIT_KAFKA_BROKERS")?;
    producer.warm_up(&[topics::DECISIONS, topics::SCHEMAS]).await;
    let source = format!("/{}/projector", service.common.region);
    schemas::publish(&producer, &source, &[DecisionBatch::schema()]).await?;
    Ok(producer)
}

/// Status and gauges of chains.
fn show(service: &Service, index: &SharedIndex, pool: &PgPool) {
    let shown = index.clone();
    service.status("chains", move || std::future::ready(json!(shown.read(Index::overview))));
    let shown = index.clone();
    service.status_on_request("chains", "heads", move || std::future::ready(json!(shown.read(Index::chain_statuses))));
    metrics::begin(service.common.region, &service.common.regions);
    let measuring = writ_chains::metrics::run(index.clone(), pool.clone(), service.shutdown.clone());
    service.spawn("metrics", async {
        measuring.await;
        Ok(())
    });
}
