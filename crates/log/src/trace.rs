//! W3C trace context in and out of headers, and the spans of sending and processing a record.
//!
//! Goes through OpenTelemetry's global propagator: without one, nothing is handed on.

use std::collections::HashMap;

use opentelemetry::{Context, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::headers::{self, Headers};
use crate::{Outgoing, Record};

/// The two W3C headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) traceparent: Option<String>,
    pub(crate) tracestate: Option<String>,
}

/// The context of the current span.
pub(crate) fn current() -> TraceContext {
    of(&Span::current())
}

fn of(span: &Span) -> TraceContext {
    let mut carrier = HashMap::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&span.context(), &mut carrier));
    TraceContext {
        traceparent: carrier.remove("traceparent"),
        tracestate: carrier.remove("tracestate").filter(|state| !state.is_empty()),
    }
}

/// The context that headers carry from the hop before.
fn remote(headers: &[(String, Vec<u8>)]) -> Context {
    let carrier: HashMap<String, String> = ["traceparent", "tracestate"]
        .into_iter()
        .filter_map(|name| {
            let value = std::str::from_utf8(headers::last(headers, name)?).ok()?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect();
    global::get_text_map_propagator(|propagator| propagator.extract_with_context(&Context::new(), &carrier))
}

/// `process <topic>`, a child of the span that sent the record.
pub(crate) fn process_span(record: &Record) -> Span {
    let id = headers::last(&record.headers, "ce_id").map(String::from_utf8_lossy);
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {}", record.topic),
        otel.kind = "consumer",
        messaging.system = "kafka",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = record.topic,
        messaging.destination.partition.id = record.partition.to_string(),
        messaging.kafka.offset = record.offset,
        messaging.kafka.message.key = record.organization().map(tracing::field::display),
        messaging.kafka.message.tombstone = record.value.is_none().then_some(true),
        messaging.message.id = id.as_deref(),
    );
    adopt(&span, &record.headers);
    span
}

/// `send <topic>`, a child of the span that made the record. Its context becomes that of the hop.
pub(crate) fn send_span(outgoing: &Outgoing) -> Span {
    let span = tracing::info_span!(
        "send",
        otel.name = format!("send {}", outgoing.topic),
        otel.kind = "producer",
        messaging.system = "kafka",
        messaging.operation.name = "send",
        messaging.operation.type = "send",
        messaging.destination.name = outgoing.topic,
        messaging.message.id = headers::last(&outgoing.headers, "ce_id").map(String::from_utf8_lossy).as_deref(),
        messaging.destination.partition.id = tracing::field::Empty,
        messaging.kafka.offset = tracing::field::Empty,
        error.type = tracing::field::Empty,
    );
    adopt(&span, &outgoing.headers);
    span
}

/// Fails only where no OpenTelemetry layer listens, and then there is no trace to continue.
fn adopt(span: &Span, headers: &[(String, Vec<u8>)]) {
    let _ = span.set_parent(remote(headers));
}

/// Makes `span` the hop that `headers` name. Keeps what they have if the span is not recorded.
pub(crate) fn hand_on(span: &Span, headers: &mut Headers) {
    let context = of(span);
    let Some(traceparent) = context.traceparent else { return };
    headers::set(headers, "traceparent", &traceparent);
    if let Some(tracestate) = context.tracestate {
        headers::set(headers, "tracestate", &tracestate);
    }
}
