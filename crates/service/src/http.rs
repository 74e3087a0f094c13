//! The HTTP server of a service: its operational routes at once, its own routes when they are
//! wired.

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

/// How long answers may still be under way after the process was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// What a service asks of every request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest body in bytes; a larger one is answered with 413.
    pub body: usize,
    /// Longest time to an answer; after that it is 503.
    pub time: Duration,
}

impl Default for Limits {
    /// 64 KiB, 30 s.
    fn default() -> Self {
        Self { body: 64 * 1024, time: Duration::from_secs(30) }
    }
}

/// Where a service's own routes appear once it has wired them. Until then they are answered
/// with 503.
#[derive(Clone, Default)]
pub struct Routes(Arc<OnceLock<Router>>);

impl Routes {
    /// Shows the routes, observed, limited and guarded against panics. Only the first call counts.
    pub fn open(&self, routes: Router, limits: Limits) {
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

/// A service's routes with all that every request gets.
pub fn guarded(routes: Router, limits: Limits) -> Router {
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

/// Serves until `stop` is cancelled and what was under way is answered, for at most five seconds.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    operations: Operations,
    routes: Routes,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let app = operations.router().fallback(move |request| routes.clone().answer(request));
    // A request is small: waiting to fill a packet would only delay it.
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
/// When the address cannot be listened on, such as a port in use.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn after(token: CancellationToken, time: Duration) {
    token.cancelled().await;
    tokio::time::sleep(time).await;
}

#[cfg(test)]
mod tests;
