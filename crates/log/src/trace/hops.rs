//! Spans that are recorded after they ended: the wait in the outbox, and the way through a mirror. MirrorMaker does not
//! trace, so the reader of a mirrored record records the span.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use writ_contract::Timestamp;

use super::{context, message_id};
use crate::headers::Headers;

/// Name of the instrumentation scope, the same as that of spans begun with `tracing`.
const TRACER: &str = "writ";

/// Start and end of a span.
pub(crate) struct Period {
    begun: SystemTime,
    ended: SystemTime,
}

impl Period {
    /// Never negative, although brokers round to milliseconds and the clocks of two regions differ.
    pub(crate) fn new(begun: Timestamp, ended: Timestamp) -> Self {
        let time = |at: Timestamp| UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap_or(0));
        Self { begun: time(begun), ended: time(ended).max(time(begun)) }
    }

    fn until_now(begun: Timestamp) -> Self {
        Self::new(begun, Timestamp::now())
    }
}

/// `outbox <topic>`: from when the record was written until now, when Kafka's client accepts it. The headers then name
/// this span as the previous hop. Only recorded in a sampled trace.
pub(crate) fn waited(topic: &str, written: Timestamp, headers: &mut Headers) {
    let parent = context::remote(headers);
    if !context::is_sampled(&parent) {
        return;
    }
    let attributes = attributes("outbox", topic, message_id(headers));
    let hop = record(format!("outbox {topic}"), SpanKind::Internal, attributes, Period::until_now(written), &parent);
    context::write(&hop, headers);
}

/// A `send <topic>` that failed, from its start until now.
pub(super) fn unsent(topic: &str, begun: Timestamp, kind: &str, parent: &Context) {
    let mut attributes = attributes("send", topic, None);
    attributes.push(KeyValue::new("error.type", kind.to_owned()));
    let time = Period::until_now(begun);
    let mut span = begin(format!("send {topic}"), SpanKind::Producer, attributes, time.begun, parent);
    span.set_status(Status::error(""));
    span.end_with_timestamp(time.ended);
}

/// `mirror <topic>`: the way of a record from another region into this one.
pub(crate) struct Mirrored<'a> {
    pub(crate) origin: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) id: Option<&'a str>,
}

impl Mirrored<'_> {
    /// Records the span, and returns the context of its children.
    pub(crate) fn record(self, time: Period, parent: &Context) -> Context {
        let mut attributes = attributes("mirror", self.topic, self.id);
        attributes.push(KeyValue::new("writ.origin", self.origin.to_owned()));
        attributes.push(KeyValue::new("messaging.destination.partition.id", self.partition.to_string()));
        attributes.push(KeyValue::new("messaging.kafka.offset", self.offset));
        record(format!("mirror {}", self.topic), SpanKind::Consumer, attributes, time, parent)
    }
}

fn attributes(operation: &'static str, topic: &str, id: Option<&str>) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("messaging.system", "kafka"),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.destination.name", topic.to_owned()),
    ];
    attributes.extend(id.map(|id| KeyValue::new("messaging.message.id", id.to_owned())));
    attributes
}

/// Records a span that has ended, and returns the context of its children: `parent` if there is no tracer.
fn record(name: String, kind: SpanKind, attributes: Vec<KeyValue>, time: Period, parent: &Context) -> Context {
    let mut span = begin(name, kind, attributes, time.begun, parent);
    let hop = span.span_context().clone();
    span.end_with_timestamp(time.ended);
    if hop.is_valid() { Context::new().with_remote_span_context(hop) } else { parent.clone() }
}

fn begin(
    name: String,
    kind: SpanKind,
    attributes: Vec<KeyValue>,
    begun: SystemTime,
    parent: &Context,
) -> global::BoxedSpan {
    let builder = SpanBuilder::from_name(name).with_kind(kind).with_attributes(attributes).with_start_time(begun);
    global::tracer(TRACER).build_with_context(builder, parent)
}
