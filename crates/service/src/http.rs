//! The HTTP servers: one for the service's own routes, which clients reach, and one for the operational routes, which only
//! operators do. Both serve from the start; the own routes answer 503 until they are wired.

mod connections;
mod descriptors;
mod in_flight;
mod observe;
mod operations;
mod request_id;
mod server;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::problem::Problem;
use connections::Connections;
pub(crate) use descriptors::descriptors_for_connections;
use in_flight::Places;
pub use in_flight::{InFlight, over_quota};
pub use operations::Operations;
pub use request_id::RequestId;

/// Limits of requests.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// Maximum size of the body in bytes; larger ones get a 413.
    pub body: usize,
    /// Maximum time until the body has arrived; after that the answer is a 408.
    pub body_time: Duration,
    /// Maximum time to answer; after that the answer is a 503.
    pub time: Duration,
    /// Maximum number of requests in flight; more get a 503 before their body is read.
    pub concurrent: usize,
    /// Maximum number of requests of one organization in flight; more get a 429 before their body is read.
    pub concurrent_per_organization: usize,
    /// Maximum number of requests of one organization in a second; more get a 429 before their body is read.
    pub rate_per_organization: u32,
}

impl Default for RequestLimits {
    /// 64 KiB within 10 s, 30 s, 512 requests in flight and 128 of an organization, which may send 10,000 a second.
    fn default() -> Self {
        Self {
            body: 64 * 1024,
            body_time: Duration::from_secs(10),
            time: Duration::from_secs(30),
            concurrent: 512,
            concurrent_per_organization: 128,
            rate_per_organization: 10_000,
        }
    }
}

/// Limits of the connections of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Maximum number of connections.
    pub total: usize,
    /// Maximum number of connections from one address.
    pub per_address: usize,
    /// Maximum number of HTTP/2 requests in flight on one connection.
    pub streams: u32,
    /// Maximum time for the head of a request, and for the first request of a connection to begin. A head that begins on
    /// an idle connection may take twice as long.
    pub head_time: Duration,
    /// Maximum time between two requests.
    pub idle_time: Duration,
}

impl ConnectionLimits {
    /// For operators: Prometheus, health checks and a few people.
    pub const OPERATIONAL: Self = Self { total: 64, per_address: 32, ..Self::PUBLIC };

    /// For clients. Idle connections are kept for longer than the usual gateways keep them (60 s), so that it is the client
    /// who closes them, and no request meets a connection that is about to be closed.
    pub const PUBLIC: Self = Self {
        total: 10_000,
        per_address: 2_048,
        streams: 128,
        head_time: Duration::from_secs(5),
        idle_time: Duration::from_secs(75),
    };
}

/// The service's own routes. They answer 503 until they are opened.
#[derive(Clone, Default)]
pub struct Routes(Arc<OnceLock<Router>>);

impl Routes {
    /// Opens the routes, with everything [`guarded`] adds. Only the first call counts.
    pub fn open(&self, routes: Router, limits: RequestLimits) {
        let _ = self.0.set(guarded(routes, limits));
    }

    async fn answer(self, request: Request) -> Response {
        match self.0.get() {
            Some(routes) => {
                let Ok(response) = routes.clone().oneshot(request).await;
                response
            }
            None => Problem::unavailable("The service is starting", 1).into_response(),
        }
    }
}

/// Adds what applies to every request: tracing, metrics, limits, request ids and protection against panics.
pub fn guarded(routes: Router, limits: RequestLimits) -> Router {
    let places = Places::new(limits);
    routes
        .fallback(|| async { Problem::not_found("No such resource") })
        .method_not_allowed_fallback(|| async {
            Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "The resource has no such method")
        })
        .layer(DefaultBodyLimit::max(limits.body))
        .layer(from_fn(move |request, next| observe::in_time(limits.time, request, next)))
        .layer(CatchPanicLayer::custom(|_| Problem::internal(anyhow::anyhow!("the handler panicked")).into_response()))
        .layer(from_fn(move |request, next| in_flight::admit(places.clone(), request, next)))
        .layer(from_fn(observe::observe))
        .layer(from_fn(request_id::echo))
}

/// Serves the service's own routes, and `/livez` and `/readyz` without reasons for what distributes requests among
/// replicas, until `stop` is cancelled. Then it answers the requests in flight, for at most five seconds.
pub async fn serve(
    listener: TcpListener,
    operations: Operations,
    routes: Routes,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let connections = Connections::new(limits);
    let measured = connections.clone();
    operations.gauges(move || connections_open("public", &measured));
    let app = operations.public_router().fallback(move |request| routes.clone().answer(request));
    server::serve(listener, app, connections, limits, stop).await;
}

/// Serves the operational routes until `stop` is cancelled.
pub async fn serve_operations(listener: TcpListener, operations: Operations, stop: CancellationToken) {
    let limits = ConnectionLimits::OPERATIONAL;
    let connections = Connections::new(limits);
    let measured = connections.clone();
    operations.gauges(move || connections_open("operational", &measured));
    let app = operations.router().fallback(|| async { Problem::not_found("No such resource") });
    server::serve(listener, app, connections, limits, stop).await;
}

fn connections_open(listener: &'static str, connections: &Connections) {
    let count = u32::try_from(connections.count()).unwrap_or(u32::MAX);
    metrics::gauge!("http_server_open_connections", "listener" => listener).set(f64::from(count));
}

/// Counts what is refused because of a limit.
fn refused(limit: &'static str) {
    metrics::counter!("http_server_refused_total", "limit" => limit).increment(1);
}

/// Creates the counters of refusals, at zero.
pub(crate) fn begin() {
    for limit in ["connections", "descriptors", "requests", "organization"] {
        metrics::counter!("http_server_refused_total", "limit" => limit).increment(0);
    }
}

#[cfg(test)]
mod tests;
