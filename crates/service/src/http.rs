//! The HTTP server. It serves the operational routes from the start, and the service's own routes once they are wired.

mod observe;
mod operations;
mod request_id;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::problem::Problem;
pub use operations::Operations;
pub use request_id::RequestId;

/// How long requests in flight may take after shutdown.
const DRAIN: Duration = Duration::from_secs(5);

/// RequestLimits of a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// Maximum size of the body in bytes; larger ones get a 413.
    pub body: usize,
    /// Maximum time to answer; after that the answer is a 503.
    pub time: Duration,
}

impl Default for RequestLimits {
    /// 64 KiB, 30 s.
    fn default() -> Self {
        Self { body: 64 * 1024, time: Duration::from_secs(30) }
    }
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
    routes
        .fallback(|| async { Problem::not_found("No such resource") })
        .method_not_allowed_fallback(|| async {
            Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "The resource has no such method")
        })
        .layer(DefaultBodyLimit::max(limits.body))
        .layer(from_fn(move |request, next| observe::in_time(limits.time, request, next)))
        .layer(CatchPanicLayer::custom(|_| Problem::internal(anyhow::anyhow!("the handler panicked")).into_response()))
        .layer(from_fn(observe::observe))
        .layer(from_fn(request_id::echo))
}

/// Serves until `stop` is cancelled, then answers the requests in flight, for at most five seconds.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    operations: Operations,
    routes: Routes,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let app = operations.router().fallback(move |request| routes.clone().answer(request));
    // Answers are small: Nagle's algorithm would only delay them.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let drained = stop.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
    tokio::select! {
        ended = server.into_future() => ended,
        () = after(drained, DRAIN) => Ok(()),
    }
}

/// Opens the port.
///
/// # Errors
/// If the address is not available, such as a port in use.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn after(token: CancellationToken, time: Duration) {
    token.cancelled().await;
    tokio::time::sleep(time).await;
}

#[cfg(test)]
mod tests;
