//! W3C trace context in headers.
//!
//! `traceparent` is the context of the previous hop. `ce_traceparent` (the CloudEvents extension for distributed
//! tracing) is that of the first record in the chain of causes, and never changes.

use std::collections::HashMap;
use std::str::FromStr;

use opentelemetry::trace::{TraceContextExt, TraceState};
use opentelemetry::{Context, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::headers::{self, Headers};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// Pairs of headers with a trace context. The first valid one counts.
const PAIRS: [(&str, &str); 2] = [(TRACEPARENT, TRACESTATE), ("ce_traceparent", "ce_tracestate")];

/// The two W3C headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) traceparent: Option<String>,
    pub(crate) tracestate: Option<String>,
}

/// The context of the current span.
pub(crate) fn current() -> TraceContext {
    of(&Span::current().context())
}

fn of(context: &Context) -> TraceContext {
    let mut carrier = HashMap::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(context, &mut carrier));
    TraceContext {
        traceparent: carrier.remove(TRACEPARENT),
        tracestate: carrier.remove(TRACESTATE).filter(|state| !state.is_empty()),
    }
}

/// The context of the previous hop. Empty if the headers have none, or an invalid one: the record then begins a new
/// trace.
pub(crate) fn remote(headers: &[(String, Vec<u8>)]) -> Context {
    let contexts = PAIRS.into_iter().map(|(parent, state)| extract(headers, parent, state));
    contexts.into_iter().find(is_valid).unwrap_or_default()
}

fn extract(headers: &[(String, Vec<u8>)], parent: &str, state: &str) -> Context {
    let text = |name: &str| std::str::from_utf8(headers::last(headers, name)?).ok().map(str::to_owned);
    let Some(parent) = text(parent).filter(|text| is_traceparent(text)) else { return Context::new() };
    let carrier: HashMap<String, String> = [(TRACEPARENT, Some(parent)), (TRACESTATE, text(state))]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    global::get_text_map_propagator(|propagator| propagator.extract_with_context(&Context::new(), &carrier))
}

/// Whether a context belongs to a trace.
fn is_valid(context: &Context) -> bool {
    context.span().span_context().is_valid()
}

/// Whether a context belongs to a trace that is exported as a whole, not only its errors.
pub(crate) fn is_sampled(context: &Context) -> bool {
    context.span().span_context().is_sampled()
}

/// Sets the trace context of `headers`. Leaves them as they are if `context` belongs to no trace.
pub(super) fn write(context: &Context, headers: &mut Headers) {
    let TraceContext { traceparent: Some(parent), tracestate } = of(context) else { return };
    headers::set(headers, TRACEPARENT, &parent);
    headers.retain(|(name, _)| name != TRACESTATE);
    if let Some(state) = tracestate {
        headers::set(headers, TRACESTATE, &state);
    }
}

/// Whether text is a W3C `traceparent`: version, trace id, parent id, flags.
pub(crate) fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut next = |length| parts.next().filter(|part| part.len() == length && is_hex(part));
    let (Some(version), Some(trace), Some(parent), Some(_)) = (next(2), next(32), next(16), next(2)) else {
        return false;
    };
    let said = |id: &str| id.bytes().any(|digit| digit != b'0');
    version != "ff" && said(trace) && said(parent) && (version != "00" || parts.next().is_none())
}

/// Whether text is a W3C `tracestate`.
pub(crate) fn is_tracestate(text: &str) -> bool {
    TraceState::from_str(text).is_ok()
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
