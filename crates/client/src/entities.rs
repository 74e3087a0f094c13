//! Another system of a region that announces entities.

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use uuid::Uuid;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::{OrganizationId, ProducerName, Record, Region, StoredText, Timestamp, encode};
use writ_kafka::{Connection, topics};
use writ_tokens::EventToken;

use crate::caller::CallerSpan;
use crate::response::ClientError;

/// Produces entity events to its own topic in one region's Kafka.
#[derive(Clone)]
pub struct EntityProducer {
    producer: FutureProducer,
    region: Region,
    name: ProducerName,
    source: String,
}

impl EntityProducer {
    /// The producer `name` in `region`, whose Kafka this is; `source` is its CloudEvents source.
    ///
    /// # Errors
    /// If the client cannot be created.
    pub fn new(kafka: &Connection, region: Region, name: ProducerName, source: &str) -> Result<Self, ClientError> {
        let producer = kafka
            .client_config(source)
            .set("enable.idempotence", "true")
            .set("partitioner", topics::PARTITIONER)
            .set("linger.ms", "0")
            .create()?;
        Ok(Self { producer, region, name, source: source.to_owned() })
    }

    /// Announces an entity and returns the event's id.
    ///
    /// # Errors
    /// If the broker does not accept it.
    pub async fn create(
        &self,
        organization: OrganizationId,
        entity_type: &str,
        id: &str,
    ) -> Result<String, ClientError> {
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

    /// Sends any event and returns its id.
    ///
    /// # Errors
    /// If the broker does not accept it.
    pub async fn send(&self, event: EntityEvent) -> Result<String, ClientError> {
        let id = Uuid::now_v7().to_string();
        let headers = self.headers(&id, "application/avro");
        self.send_raw(&event.organization.to_string(), headers, &encode(&event)?).await?;
        Ok(id)
    }

    /// Sends any bytes with any headers, as a defective producer might.
    ///
    /// # Errors
    /// If the broker does not accept it.
    pub async fn send_raw(&self, key: &str, headers: OwnedHeaders, value: &[u8]) -> Result<(), ClientError> {
        let topic = topics::entity_events(&self.name);
        let record = FutureRecord::to(&topic).key(key).payload(value).headers(headers);
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
    pub fn freshness(&self, event_id: &str) -> String {
        EventToken { region: self.region, producer: self.name.clone(), id: StoredText::lossy(event_id) }.issue()
    }
}
