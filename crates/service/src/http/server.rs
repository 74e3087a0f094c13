//! Accepts connections and serves HTTP/1.1 and HTTP/2 on them, within limits.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::connections::{Activity, Connection, Connections};
use super::{ConnectionLimits, refused};

/// How long requests in flight may take after shutdown.
const DRAIN: Duration = Duration::from_secs(5);
/// Pause after the process has run out of file descriptors.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(50);
/// Maximum size of the head of a request, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// Maximum size of the header fields of an HTTP/2 request, in bytes.
const MAX_HEADER_LIST: u32 = 64 * 1024;
/// When the other end of a connection, or its host, counts as gone.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_ANSWER: Duration = Duration::from_secs(10);
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Serves until `stop` is cancelled, then answers the requests in flight, for at most five seconds.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    connections: Connections,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let tasks = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        match connections.admit(peer.ip()) {
            Some(connection) => {
                tasks.spawn(serve_one(stream, connection, routes.clone(), limits, stop.clone()));
            }
            None => refused("connections"),
        }
    }
    tasks.close();
    if timeout(DRAIN, tasks.wait()).await.is_err() {
        connections.abandon();
    }
}

async fn accept(listener: &TcpListener, connections: &Connections) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // Given up by the client before it was accepted.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                refused("descriptors");
                connections.close_idle();
                sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve_one(
    stream: TcpStream,
    connection: Connection,
    routes: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    configure(&stream);
    let activity = connection.activity.clone();
    let service = service_fn(|request: Request<Incoming>| {
        let (routes, answered) = (routes.clone(), activity.request());
        async move {
            let response = routes.oneshot(request.map(Body::new)).await;
            drop(answered);
            response
        }
    });
    let builder = builder(&limits);
    let io = TokioIo::new(ObservedStream { stream, activity: activity.clone() });
    let mut serving = pin!(builder.serve_connection(io, service));
    let mut stopping = false;
    loop {
        // What begins meanwhile may end sooner.
        let next_look = Instant::now() + limits.head_time;
        let deadline = activity.deadline(&limits);
        tokio::select! {
            // What went wrong is the client's affair.
            _ = serving.as_mut() => return,
            () = activity.close.cancelled() => return,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
            () = sleep_until(deadline.map_or(next_look, |deadline| deadline.min(next_look))) => {
                if activity.deadline(&limits).is_some_and(|deadline| deadline <= Instant::now()) {
                    return;
                }
            }
        }
    }
}

fn builder(limits: &ConnectionLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The time for a head is measured by `Activity`: hyper's time also ends connections that are merely idle.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(MAX_HEADER_LIST)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWER);
    builder
}

/// Notices a peer that is gone without a word. Fails only for a connection that is closed already.
fn configure(stream: &TcpStream) {
    // Answers are small: Nagle's algorithm would only delay them.
    let _ = stream.set_nodelay(true);
    let keep_alive = TcpKeepalive::new().with_time(PING_EVERY).with_interval(PING_ANSWER).with_retries(3);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keep_alive);
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED));
}

/// A connection whose arriving bytes are noted.
struct ObservedStream {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl AsyncRead for ObservedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let known = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if let Some(arrived) = buffer.filled().get(known..).filter(|arrived| !arrived.is_empty()) {
            self.activity.received(arrived);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ObservedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
