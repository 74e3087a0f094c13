//! Another system of a region that announces entities.

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use uuid::Uuid;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::{Record, Timestamp, encode};
use writ_kafka::Connection;

use crate::answer::ClientError;
use crate::caller::CallerSpan;

const TOPIC: &str = "entity-events";

/// Produces entity events to one region's Kafka.
#[derive(Clone)]
pub struct EntityProducer {
    producer: FutureProducer,
    source: String,
}

impl EntityProducer {
    /// A producer of the region with this Kafka; `source` is its CloudEvents source.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(kafka: &Connection, source: &str) -> Result<Self, ClientError> {
        let producer = kafka
            .client_config(source)
            .set("enable.idempotence", "true")
            .set("partitioner", writ_kafka::topics::PARTITIONER)
            .set("linger.ms", "0")
            .create()?;
        Ok(Self { producer, source: source.to_owned() })
    }

    /// Announces an entity; answers the event's id.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn create(&self, organization: Uuid, entity_type: &str, id: &str) -> Result<String, ClientError> {
        self.send(EntityEvent {
            kind: EntityEventKind::Created,
            organization,
            entity_type: entity_type.to_owned(),
            entity_id: id.to_owned(),
            parent_type: None,
            parent_id: None,
            occurred_at: Timestamp::now(),
        })
        .await
    }

    /// Sends any event; answers its id.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn send(&self, event: EntityEvent) -> Result<String, ClientError> {
        let id = Uuid::now_v7().to_string();
        let headers = self.headers(&id, "application/avro");
        self.send_raw(&event.organization.to_string(), headers, &encode(&event)?).await?;
        Ok(id)
    }

    /// Sends any bytes under any headers, as a producer with a defect would.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn send_raw(&self, key: &str, headers: OwnedHeaders, value: &[u8]) -> Result<(), ClientError> {
        let record = FutureRecord::to(TOPIC).key(key).payload(value).headers(headers);
        let sent = self.producer.send(record, Duration::from_secs(30)).await;
        sent.map(|_| ()).map_err(|(error, _)| error.into())
    }

    /// The headers of a well-formed event.
    pub fn headers(&self, id: &str, content_type: &str) -> OwnedHeaders {
        let header = |key, value| Header { key, value: Some(value) };
        OwnedHeaders::new()
            .insert(header("ce_specversion", "1.0"))
            .insert(header("ce_type", EntityEvent::TYPE))
            .insert(header("ce_source", self.source.as_str()))
            .insert(header("ce_id", id))
            .insert(header("content-type", content_type))
    }

    /// The headers of a well-formed event that is part of a caller's trace.
    pub fn headers_within(&self, id: &str, content_type: &str, span: &CallerSpan) -> OwnedHeaders {
        let traceparent = span.traceparent();
        self.headers(id, content_type).insert(Header { key: "traceparent", value: Some(&traceparent) })
    }

    /// What `Writ-At-Least-As-Fresh` says to wait for an event of this producer.
    pub fn freshness(&self, region: &str, event_id: &str) -> String {
        format!("event;{region};{};{event_id}", self.source)
    }
}
