//! The span that code runs in.

use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Where the current span is in its trace; invalid if nobody traces.
pub fn current() -> SpanContext {
    Span::current().context().span().span_context().clone()
}
