//! The regional read model of policies and the read API.
//!
//! [`read_model`] applies change sets to memory and PostgreSQL, [`freshness`] wakes the readers that wait for them,
//! [`authzen`] reads questions, [`http`] answers them, and [`decisions`] sends the answers to audit.

pub mod app;
pub mod authzen;
pub mod decisions;
pub mod freshness;
pub mod http;
pub mod metrics;
pub mod platform_tokens;
pub mod read_model;
pub mod settings;
#[cfg(test)]
mod testing;

use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use writ_service::telemetry::Program;

/// The program, as telemetry knows it. For each change there are thousands of questions to the read API.
pub const PROGRAM: Program =
    Program { high_volume_routes: Some("/access/v1/"), ..Program::new("writ-projector", metrics::METRICS) };

/// The context of the current span; invalid if nothing is traced.
fn current_span_context() -> SpanContext {
    Span::current().context().span().span_context().clone()
}
