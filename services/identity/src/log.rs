//! Bringing what the store has committed to Kafka.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Duration, MissedTickBehavior, interval, sleep};
use writ_contract::identity_event::{Changes, IdentityEvent};
use writ_contract::organization::OrganizationEntry;
use writ_contract::schema::SchemaEntry;
use writ_contract::{Record, Region};
use writ_kafka::topics;
use writ_log::database::reason;
use writ_log::loops::LoopTurns;
use writ_log::outbox::{Publisher, StatusHandle};
use writ_log::{Compression, Lease, LogProducer, schemas};
use writ_service::Service;

use crate::store::Store;

/// Of several replicas, the one with this lease publishes.
const LEASE: &str = "identity";
/// How often Kafka is asked whether it answers.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// How often the records that wait are counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);
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
pub fn start(service: &Service, store: &Store) -> anyhow::Result<()> {
    let producer = LogProducer::connect(&service.common.kafka(), "writ-identity", Compression::None)
        .context("WRIT_KAFKA_BROKERS")?;
    let (region, shutdown) = (service.common.region, service.shutdown.clone());
    let (pool, handover) = (store.pool().clone(), store.handover().clone());
    let (reached, status) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
    show(service, producer.clone(), reached.clone(), status.clone());
    follow_depth(service, store);
    service.spawn("outbox", async move {
        let prepared = async {
            greet(&producer, region).await?;
            reached.store(true, Ordering::Relaxed);
            let lease = Lease::acquire(&pool, LEASE).await;
            Ok::<_, anyhow::Error>(Publisher::new(pool, handover, producer, lease, region.as_str(), STAGE))
        };
        let Some(publisher) = shutdown.run_until_cancelled(prepared).await.transpose()? else { return Ok(()) };
        // Set once: this part runs once.
        let _ = status.set(publisher.handle());
        Ok(publisher.run(shutdown).await?)
    });
    Ok(())
}

/// Keeps count of the records that wait, so that changes are refused when there are too many.
fn follow_depth(service: &Service, store: &Store) {
    let (room, pool, stop) = (store.room().clone(), store.pool().clone(), service.shutdown.clone());
    let shown = room.clone();
    service.status("outbox_room", move || {
        std::future::ready(json!({ "depth": shown.depth(), "maximum": shown.maximum() }))
    });
    let counting = async move {
        let (turns, mut every) = (LoopTurns::new("outbox-room"), interval(COUNT_EVERY));
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            turns.note();
            if let Err(error) = room.count(&pool).await {
                tracing::debug!(reason = reason(&error), "the outbox is not counted");
            }
        }
    };
    service.spawn("outbox room", async move {
        stop.run_until_cancelled(counting).await;
        Ok(())
    });
}

/// Waits for the topics and publishes the schemas of what will be written there.
async fn greet(producer: &LogProducer, region: Region) -> anyhow::Result<()> {
    producer.warm_up(&[topics::SCHEMAS, topics::IDENTITY_EVENTS, topics::ORGANIZATIONS]).await;
    let written = [IdentityEvent::schema(), Changes::schema(), OrganizationEntry::schema(), SchemaEntry::schema()];
    Ok(schemas::publish(producer, &source(region), &written).await?)
}

/// Asks Kafka now and then, and tells why it does not answer: while there is nothing to send, a broker that stands still
/// would not be noticed.
fn probe(service: &Service, producer: LogProducer) -> watch::Receiver<Option<String>> {
    let (told, silence) = watch::channel(None);
    let stop = service.shutdown.clone();
    let probing = async move {
        let turns = LoopTurns::new("kafka");
        loop {
            turns.note();
            sleep(PROBE_EVERY).await;
            told.send_replace(producer.reach(topics::IDENTITY_EVENTS).await.err());
        }
    };
    service.spawn("kafka", async move {
        stop.run_until_cancelled(probing).await;
        Ok(())
    });
    silence
}

/// Shows in `/readyz` whether Kafka is reached and in `/status` what the publisher does.
fn show(service: &Service, producer: LogProducer, reached: Arc<AtomicBool>, status: Arc<OnceLock<StatusHandle>>) {
    let silence = probe(service, producer.clone());
    service.health.watch("kafka", move || match producer.waiting().or_else(|| silence.borrow().clone()) {
        Some(reason) => Err(reason),
        None if reached.load(Ordering::Relaxed) => Ok(()),
        None => Err("connecting".to_owned()),
    });
    service.status("outbox", move || {
        let outbox = status.get().map(StatusHandle::get);
        async move { json!(outbox) }
    });
}
