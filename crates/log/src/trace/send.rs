//! `send <topic>`: from when Kafka's client accepts a record until it is acknowledged.

use opentelemetry::Context;
use rdkafka::error::KafkaError;
use tracing::Span;
use tracing::field::Empty;
use writ_contract::Timestamp;

use super::{adopt, context, fail, hand_on, hops, message_id};
use crate::headers::Headers;

/// A send in progress. Outside a sampled trace it is recorded only if it fails, because a service may send thousands of
/// records a second.
pub(crate) struct SendSpan {
    span: Span,
    parent: Context,
    begun: Timestamp,
}

impl SendSpan {
    /// Begins a child of the span that created the record.
    pub(crate) fn begin(topic: &str, headers: &Headers) -> Self {
        let parent = context::remote(headers);
        let span = if context::is_sampled(&parent) { span(topic, headers, parent.clone()) } else { Span::none() };
        Self { span, parent, begun: Timestamp::now() }
    }

    /// Sets the trace context of `headers` to this span, if it is recorded.
    pub(crate) fn hand_on(&self, headers: &mut Headers) {
        if !self.span.is_disabled() {
            hand_on(&self.span, headers);
        }
    }

    /// The span, to enter while waiting.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The record was acknowledged.
    pub(crate) fn delivered(&self, partition: i32, offset: i64) {
        self.span.record("messaging.destination.partition.id", partition.to_string());
        self.span.record("messaging.kafka.offset", offset);
    }

    /// The record was not appended.
    pub(crate) fn failed(&self, topic: &str, error: &KafkaError) {
        let kind = error.rdkafka_error_code().map_or_else(|| "kafka".to_owned(), |code| format!("{code:?}"));
        match self.span.is_disabled() {
            true => hops::unsent(topic, self.begun, &kind, &self.parent),
            false => fail(&self.span, &kind),
        }
    }
}

fn span(topic: &str, headers: &Headers, parent: Context) -> Span {
    let span = tracing::info_span!(
        "send",
        otel.name = format!("send {topic}"),
        otel.kind = "producer",
        otel.status_code = Empty,
        messaging.system = "kafka",
        messaging.operation.name = "send",
        messaging.operation.type = "send",
        messaging.destination.name = topic,
        messaging.message.id = message_id(headers),
        messaging.destination.partition.id = Empty,
        messaging.kafka.offset = Empty,
        error.type = Empty,
    );
    adopt(&span, parent);
    span
}
