//! The spans of a record's way: `outbox` while it waits, `send`, `mirror` between regions,
//! `process`, and `transaction` while its effects are committed.
//!
//! Goes through OpenTelemetry's globals: without a provider, nothing is handed on.

mod context;
mod hops;
mod send;

use opentelemetry::Context;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::headers::{self, Headers};

pub(crate) use context::{
    TraceContext, current, current_if_sampled, is_sampled, is_traceparent, is_tracestate, remote,
};
pub(crate) use hops::{Mirrored, Period, waited};
pub(crate) use send::Send;

/// Longest id of a record that a span names.
const LONGEST_ID: usize = 128;

/// One `transaction` a record that has a span: that of its batch, which all of them share.
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

/// The transaction of a batch did not commit. If no record of it has a span, the failure is a trace of its own.
pub(crate) fn fail_transaction(transactions: &[Span]) {
    match transactions {
        [] => fail(&transaction_span(&Span::none(), 0), "database"),
        spans => spans.iter().for_each(|span| fail(span, "database")),
    }
}

/// What the spans stand for is done: a span counts as ended when it was last left.
pub(crate) fn end(spans: &[Span]) {
    spans.iter().for_each(|span| span.in_scope(|| ()));
}

/// What the span stands for did not work: `kind` is a short, fixed word for why.
pub fn fail(span: &Span, kind: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}

/// Makes `span` the hop that `headers` name. Keeps what they have if there is no trace.
pub(crate) fn hand_on(span: &Span, headers: &mut Headers) {
    context::write(&span.context(), headers);
}

/// Fails only where no OpenTelemetry layer listens, and then there is no trace to continue.
pub(crate) fn adopt(span: &Span, parent: Context) {
    let _ = span.set_parent(parent);
}

/// The record's `ce_id`, if it looks like an id: other systems may put anything there, and a span
/// holds nothing personal.
pub(crate) fn message_id(headers: &[(String, Vec<u8>)]) -> Option<&str> {
    let id = std::str::from_utf8(headers::last(headers, "ce_id")?).ok()?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
    (plain && id.len() <= LONGEST_ID).then_some(id)
}

#[cfg(test)]
mod tests;
