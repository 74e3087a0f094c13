//! The spans of a record: `outbox` while it waits, `send`, `mirror` between regions, `process`, and `transaction` while
//! its effects are committed.
//!
//! Uses OpenTelemetry's global provider. Without one, no trace context is propagated.

mod context;
mod hops;
mod send;

use opentelemetry::Context;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::headers::{self, Headers};

pub(crate) use context::{current, is_sampled, is_traceparent, is_tracestate, remote};
pub(crate) use hops::{Mirrored, Period, waited};
pub(crate) use send::SendSpan;

/// Maximum length of a record id in a span.
const LONGEST_ID: usize = 128;

/// One `transaction` span for each record that has a span. They all stand for the one transaction of the batch.
pub(crate) fn transaction_spans(records: &[Span]) -> Vec<Span> {
    let followed = records.iter().filter(|record| !record.is_disabled());
    followed.map(|record| transaction_span(record, records.len())).collect()
}

fn transaction_span(parent: &Span, records: usize) -> Span {
    tracing::info_span!(
        parent: parent,
        "transaction",
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = "postgresql",
        messaging.batch.message_count = records,
        error.type = Empty,
    )
}

/// Marks the transaction of a batch as failed. If no record has a span, the failure becomes a trace of its own.
pub(crate) fn fail_transaction(transactions: &[Span]) {
    match transactions {
        [] => fail(&transaction_span(&Span::none(), 0), "database"),
        spans => spans.iter().for_each(|span| fail(span, "database")),
    }
}

/// Sets the end of the spans to now: a span ends when it was last exited.
pub(crate) fn end(spans: &[Span]) {
    spans.iter().for_each(|span| span.in_scope(|| ()));
}

/// Marks a span as failed. `kind` is a short, fixed name of the error.
pub fn fail(span: &Span, kind: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}

/// Sets the trace context of `headers` to `span`. Leaves them as they are if there is no trace.
pub(crate) fn hand_on(span: &Span, headers: &mut Headers) {
    context::write(&span.context(), headers);
}

/// Fails only without an OpenTelemetry layer, and then there is no trace to continue.
pub(crate) fn adopt(span: &Span, parent: Context) {
    let _ = span.set_parent(parent);
}

/// The record's `ce_id`, if it looks like an id. Other systems may put personal data there, which must not get into
/// spans.
pub(crate) fn message_id(headers: &[(String, Vec<u8>)]) -> Option<&str> {
    let id = std::str::from_utf8(headers::last(headers, "ce_id")?).ok()?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
    (plain && id.len() <= LONGEST_ID).then_some(id)
}

#[cfg(test)]
mod tests;
