//! The span in which a record is processed.

use opentelemetry::Context;
use tracing::Span;
use tracing::field::Empty;
use writ_kafka::topics;

use super::ConsumedRecord;
use crate::envelope;
use crate::trace::{self, Mirrored, Period};

/// `process <topic>`, a child of the span that sent the record or, if it is mirrored, of its `mirror` span.
pub(super) fn process(record: &ConsumedRecord) -> Span {
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {}", record.topic),
        otel.kind = "consumer",
        otel.status_code = Empty,
        messaging.system = "kafka",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = record.topic,
        messaging.destination.partition.id = record.partition.to_string(),
        messaging.kafka.offset = record.offset,
        messaging.kafka.message.key = record.organization().map(tracing::field::display),
        messaging.kafka.message.tombstone = record.value.is_none().then_some(true),
        messaging.message.id = trace::message_id(&record.headers),
        error.type = Empty,
    );
    trace::adopt(&span, parent(record));
    span
}

/// Like [`process`], but a disabled span unless the trace of the record is sampled.
pub(super) fn process_if_sampled(record: &ConsumedRecord) -> Span {
    if trace::is_sampled(&trace::remote(&record.headers)) { process(record) } else { Span::none() }
}

/// The context that the record continues: that of the previous hop or, if that was in another region, of a `mirror`
/// span between the two.
fn parent(record: &ConsumedRecord) -> Context {
    let sent = trace::remote(&record.headers);
    match topics::split(&record.topic).0 {
        Some(origin) if trace::is_sampled(&sent) => mirrored(record, origin, &sent),
        _ => sent,
    }
}

/// From when the record was sent, by the clock of its origin, until the broker of this region appended it.
fn mirrored(record: &ConsumedRecord, origin: &str, sent: &Context) -> Context {
    let written = envelope::written_at(&record.headers).unwrap_or(record.timestamp);
    let hop = Mirrored {
        origin,
        topic: &record.topic,
        partition: record.partition,
        offset: record.offset,
        id: trace::message_id(&record.headers),
    };
    hop.record(Period::new(written, record.timestamp), sent)
}
