//! Bringing what the store has committed to Kafka.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use serde_json::json;
use sqlx::PgPool;
use writ_contract::identity_event::{Changes, IdentityEvent};
use writ_contract::organization::OrganizationEntry;
use writ_contract::schema::SchemaEntry;
use writ_contract::{Record, Region};
use writ_kafka::topics;
use writ_log::outbox::{Publisher, StatusHandle};
use writ_log::{Compression, Lease, LogProducer, schemas};
use writ_service::Service;

/// Of several replicas, the one with this lease publishes.
const LEASE: &str = "identity";
/// This service's stage of the propagation: commit → acknowledged by Kafka.
const STAGE: &str = "outbox";

/// The CloudEvents source of the records of a region.
pub fn source(region: Region) -> String {
    format!("/{region}/identity")
}

/// Starts publishing the outbox in the background. While Kafka cannot be reached, `/readyz` says why, and changes are
/// accepted and published later.
///
/// # Errors
/// When the settings for Kafka are invalid.
pub fn start(service: &Service, pool: PgPool) -> anyhow::Result<()> {
    let producer = LogProducer::connect(&service.common.kafka(), "writ-identity", Compression::None)
        .context("WRIT_KAFKA_BROKERS")?;
    let (region, shutdown) = (service.common.region, service.shutdown.clone());
    let (reached, status) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
    watch(service, producer.clone(), reached.clone(), status.clone());
    service.spawn("outbox", async move {
        let prepared = async {
            greet(&producer, region).await?;
            reached.store(true, Ordering::Relaxed);
            let lease = Lease::acquire(&pool, LEASE).await;
            Ok::<_, anyhow::Error>(Publisher::new(pool, producer, lease, region.as_str(), STAGE))
        };
        let Some(publisher) = shutdown.run_until_cancelled(prepared).await.transpose()? else { return Ok(()) };
        // Set once: this part runs once.
        let _ = status.set(publisher.handle());
        Ok(publisher.run(shutdown).await?)
    });
    Ok(())
}

/// Waits for the topics and publishes the schemas of what will be written there.
async fn greet(producer: &LogProducer, region: Region) -> anyhow::Result<()> {
    producer.warm_up(&[topics::SCHEMAS, topics::IDENTITY_EVENTS, topics::ORGANIZATIONS]).await;
    let written = [IdentityEvent::schema(), Changes::schema(), OrganizationEntry::schema(), SchemaEntry::schema()];
    Ok(schemas::publish(producer, &source(region), &written).await?)
}

/// Shows in `/readyz` whether Kafka is reached and in `/status` what the publisher does.
fn watch(service: &Service, producer: LogProducer, reached: Arc<AtomicBool>, status: Arc<OnceLock<StatusHandle>>) {
    service.health.watch("kafka", move || match producer.waiting() {
        Some(reason) => Err(reason),
        None if reached.load(Ordering::Relaxed) => Ok(()),
        None => Err("connecting".to_owned()),
    });
    service.status("outbox", move || {
        let outbox = status.get().map(StatusHandle::get);
        async move { json!(outbox) }
    });
}
