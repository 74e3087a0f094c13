//! A span and a measurement for each request. Both have method, matched route and status, never the path, query,
//! headers or body, which may contain secrets or personal data.

use std::time::{Duration, Instant, SystemTime};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::problem::{ErrorType, Problem};
use crate::telemetry::TRACER;

const UNMATCHED: &str = "unmatched";

pub(super) async fn observe(request: Request, next: Next) -> Response {
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str).to_owned();
    let span = span(method, &route, request.headers());
    let (at, begun) = (SystemTime::now(), Instant::now());
    let response = next.run(request).instrument(span.clone()).await;
    let error_type = response.extensions().get::<ErrorType>().copied();
    record(&span, response.status(), error_type);
    let failed = response.status().is_server_error() && error_type.is_none();
    if failed && !span.context().span().is_recording() {
        record_failed(&span.context(), method, &route, response.status(), at);
    }
    let status = response.status().as_str().to_owned();
    let error_type = match error_type {
        Some(ErrorType(name)) => name.to_owned(),
        None if failed => status.clone(),
        None => String::new(),
    };
    let labels = [
        ("http_request_method", method.to_owned()),
        ("http_route", route),
        ("http_response_status_code", status),
        ("error_type", error_type),
    ];
    metrics::histogram!("http_server_request_duration_seconds", &labels).record(begun.elapsed());
    response
}

/// Cancels a request that takes too long and answers 503.
pub(super) async fn in_time(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("The request took too long", 1).into_response(),
    }
}

/// The span of a request, continuing the caller's trace.
fn span(method: &'static str, route: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        error.type = Empty,
        trace_id = Empty,
    );
    let caller = global::get_text_map_propagator(|propagator| propagator.extract(&HeaderExtractor(headers)));
    // Fails only without a trace layer, and then there is no trace to continue.
    let _ = span.set_parent(caller);
    let context = span.context();
    let trace = context.span().span_context().trace_id();
    span.record("trace_id", tracing::field::display(trace));
    span
}

/// A refusal that has a name is not a failure of the service, so it does not make the span an error, which would always be
/// exported.
fn record(span: &Span, status: StatusCode, error_type: Option<ErrorType>) {
    span.record("http.response.status_code", status.as_u16());
    if let Some(ErrorType(name)) = error_type {
        span.record("error.type", name);
    } else if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
}

/// Records the span of a failed request afterwards, if the sampler dropped it when the request began.
fn record_failed(context: &Context, method: &'static str, route: &str, status: StatusCode, begun: SystemTime) {
    let attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.route", route.to_owned()),
        KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
        KeyValue::new("error.type", status.as_str().to_owned()),
    ];
    let builder = SpanBuilder::from_name(format!("{method} {route}")).with_kind(SpanKind::Server);
    let builder = builder.with_start_time(begun).with_attributes(attributes);
    let mut span = global::tracer(TRACER).build_with_context(builder, context);
    span.set_status(Status::error(""));
    span.end();
}

/// Arbitrary methods would be an unlimited number of label values.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

struct HeaderExtractor<'a>(&'a HeaderMap);

impl Extractor for HeaderExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
