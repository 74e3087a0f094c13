//! `writ-audit`: wiring only.

use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgPool;
use writ_audit::log::{Recorder, subscriptions};
use writ_audit::{PROGRAM, metrics, store};
use writ_contract::SchemaRegistry;
use writ_log::Lease;
use writ_log::consumer::{Consumer, ConsumerConfig, ConsumerHandle, ConsumerStatus};
use writ_log::schemas::{Follower, FollowerConfig};
use writ_service::{DatabaseUrl, Required, Service, ServiceSettings};

#[derive(Deserialize)]
struct Settings {
    database_url: DatabaseUrl,
}

impl ServiceSettings for Settings {
    const REQUIRED: Required = &[("database_url", "postgres://audit@127.0.0.1:15432/audit")];
}

#[tokio::main]
async fn main() -> ExitCode {
    if writ_service::asked_to_migrate() {
        return writ_service::migrate(PROGRAM.name, &store::MIGRATOR).await;
    }
    writ_service::run(PROGRAM, wire).await
}

async fn wire(service: Service, settings: Settings) -> anyhow::Result<()> {
    let start = service.health.check("start");
    let pool = service.database(&settings.database_url, &store::MIGRATOR).await?;
    start.fail("waiting for the lease");
    let lease = Lease::acquire(&pool, "audit").await;
    start.fail("learning schemas");
    let registry = SchemaRegistry::default();
    let follower = Follower::start(&follower_config(&service), registry.clone())?;
    let schemas = follower.handle();
    watch(&service, "schemas", schemas.clone());
    schemas.until_caught_up().await;

    let recorder = Recorder::new(service.common.region.as_str(), registry);
    let consumer = Consumer::new(consumer_config(&service), pool.clone(), lease);
    metrics::begin(&service.common.region, &service.common.regions);
    show(&service, consumer.handle(), pool);
    let stop = service.shutdown.clone();
    service.spawn("consumer", async move {
        let _follower = follower;
        Ok(consumer.run(recorder, stop).await?)
    });
    start.pass();
    Ok(())
}

/// A check of how far a reader of the log is.
fn watch(service: &Service, name: &'static str, reader: ConsumerHandle) {
    service.health.watch(name, move || match reader.status() {
        ConsumerStatus { kafka: Some(reason), .. } => Err(format!("Kafka: {reason}")),
        ConsumerStatus { caught_up: false, .. } => Err("catching up".to_owned()),
        _ => Ok(()),
    });
}

/// Readiness and the members of `/status`.
fn show(service: &Service, consumer: ConsumerHandle, pool: PgPool) {
    watch(service, "log", consumer.clone());
    service.status("log", move || {
        let status = consumer.status();
        async move { json!(status) }
    });
    service.status("entries", move || entries(pool.clone()));
}

async fn entries(pool: PgPool) -> Value {
    match store::counts(&pool).await {
        Ok(counts) => json!(counts),
        Err(_) => Value::Null,
    }
}

fn consumer_config(service: &Service) -> ConsumerConfig {
    ConsumerConfig {
        kafka: service.common.kafka(),
        client_id: PROGRAM.name.to_owned(),
        region: service.common.region.to_string(),
        regions: service.common.regions.iter().map(ToString::to_string).collect(),
        topics: subscriptions(),
    }
}

fn follower_config(service: &Service) -> FollowerConfig {
    let ConsumerConfig { kafka, client_id, region, regions, .. } = consumer_config(service);
    FollowerConfig { kafka, client_id, region, regions }
}
