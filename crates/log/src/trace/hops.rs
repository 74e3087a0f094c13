//! Spans of what is over when it is seen: a record's wait in the outbox, and its way through a
//! mirror. MirrorMaker knows nothing of traces, so who receives a mirrored record tells of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use writ_contract::Timestamp;

use super::{context, message_id};
use crate::{Outgoing, Record, envelope};
use writ_kafka::topics;

/// The same instrumentation as that of the spans that `tracing` begins.
const TRACER: &str = "writ";

/// From when to when something went on.
struct Time {
    begun: SystemTime,
    ended: SystemTime,
}

/// `outbox <topic>`: from when the record was written until now, when Kafka's client takes it.
/// Becomes the hop that the record names. Only for a record that is part of a sampled trace.
pub(crate) fn waited(outgoing: &mut Outgoing) {
    let parent = context::remote(&outgoing.headers);
    let Some(written) = envelope::written_at(&outgoing.headers).filter(|_| context::is_sampled(&parent)) else {
        return;
    };
    let attributes = attributes("outbox", &outgoing.topic, message_id(&outgoing.headers));
    let name = format!("outbox {}", outgoing.topic);
    let hop = record(name, SpanKind::Internal, attributes, span_time(written, Timestamp::now()), &parent);
    context::write(&hop, &mut outgoing.headers);
}

/// `send <topic>` that failed, as a span from its begin until now.
pub(super) fn unsent(topic: &str, begun: Timestamp, kind: &str, parent: &Context) {
    let mut attributes = attributes("send", topic, None);
    attributes.push(KeyValue::new("error.type", kind.to_owned()));
    let time = span_time(begun, Timestamp::now());
    let mut span = begin(format!("send {topic}"), SpanKind::Producer, attributes, time.begun, parent);
    span.set_status(Status::error(""));
    span.end_with_timestamp(time.ended);
}

/// What a record that was read follows from: the hop before or, if that led into another region,
/// a span `mirror <topic>` of the hop between them.
pub(super) fn arrival(received: &Record) -> Context {
    let sent = context::remote(&received.headers);
    match topics::split(&received.topic).0 {
        Some(origin) if context::is_sampled(&sent) => mirrored(received, origin, &sent),
        _ => sent,
    }
}

/// From when the record was sent, by its origin's clock, until this region's broker had it.
fn mirrored(received: &Record, origin: &str, sent: &Context) -> Context {
    let begun = envelope::written_at(&received.headers).unwrap_or(received.timestamp);
    let mut attributes = attributes("mirror", &received.topic, message_id(&received.headers));
    attributes.push(KeyValue::new("writ.origin", origin.to_owned()));
    attributes.push(KeyValue::new("messaging.destination.partition.id", received.partition.to_string()));
    attributes.push(KeyValue::new("messaging.kafka.offset", received.offset));
    let name = format!("mirror {}", received.topic);
    record(name, SpanKind::Consumer, attributes, span_time(begun, received.timestamp), sent)
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

/// Never negative: brokers count milliseconds, and the clocks of two regions differ.
fn span_time(begun: Timestamp, ended: Timestamp) -> Time {
    let begun = UNIX_EPOCH + Duration::from_micros(u64::try_from(begun.0).unwrap_or(0));
    let ended = UNIX_EPOCH + Duration::from_micros(u64::try_from(ended.0).unwrap_or(0));
    Time { begun, ended: ended.max(begun) }
}

/// Records a span that is over; answers the context of what follows from it, which is `parent` if
/// nobody traces.
fn record(name: String, kind: SpanKind, attributes: Vec<KeyValue>, time: Time, parent: &Context) -> Context {
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
