//! `writ-audit`: wiring only.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::PgPool;
use writ_audit::log::{EntryRecorder, subscriptions};
use writ_audit::settings::AuditSettings;
use writ_audit::{PROGRAM, metrics, store};
use writ_contract::SchemaRegistry;
use writ_log::Lease;
use writ_log::consumer::{Consumer, ConsumerConfig};
use writ_service::Service;

/// Nobody waits for an entry.
const GATHERING: Duration = Duration::from_millis(100);

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    if writ_service::asked_to_migrate() {
        return writ_service::migrate(PROGRAM.name, &store::MIGRATOR).await;
    }
    writ_service::run(PROGRAM, wire).await
}

async fn wire(service: Service, settings: AuditSettings) -> anyhow::Result<()> {
    let start = service.health.check("start");
    let pool = service.database(&settings.database_url, &store::MIGRATOR).await?;
    start.fail("waiting for the lease");
    let lease = Lease::acquire(&pool, "audit").await;
    start.fail("learning schemas");
    let registry = SchemaRegistry::default();
    let follower = service.learn_schemas(&registry).await?;

    let recorder = EntryRecorder::new(service.common.region, registry);
    let config = ConsumerConfig { gathering: GATHERING, ..service.consumer_config(subscriptions()) };
    let consumer = Consumer::new(config, pool.clone(), lease);
    metrics::begin(service.common.region, &service.common.regions);
    show(&service, &consumer, pool);
    let stop = service.shutdown.clone();
    service.spawn("consumer", async move {
        let _follower = follower;
        Ok(consumer.run(recorder, stop).await?)
    });
    start.pass();
    Ok(())
}

/// Readiness and the sections of `/status`.
fn show(service: &Service, consumer: &Consumer, pool: PgPool) {
    service.show_consumer("log", consumer.handle());
    let handle = consumer.handle();
    // Without Kafka there is nothing that audit could do.
    service.health.watch("kafka", move || handle.status().kafka.map_or(Ok(()), Err));
    service.status("entries", move || entries(pool.clone()));
}

async fn entries(pool: PgPool) -> Value {
    match store::counts(&pool).await {
        Ok(counts) => json!(counts),
        Err(_) => Value::Null,
    }
}
