//! The server against clients that speak HTTP badly, slowly or not at all.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use writ_service::Health;
use writ_service::extract::JsonBytes;
use writ_service::http::{ConnectionLimits, Operations, RequestLimits, Routes, serve};
use writ_service::telemetry::{Program, recorder};

const DEADLINE: Duration = Duration::from_secs(30);
const HEAD_TIME: Duration = Duration::from_millis(200);
const LIMITS: ConnectionLimits =
    ConnectionLimits { total: 200, per_address: 100, head_time: HEAD_TIME, ..ConnectionLimits::PUBLIC };
const QUICK: &[u8] = b"GET /quick HTTP/1.1\r\nhost: x\r\n\r\n";

/// Requests to `/slow` that have begun; only one test sends any.
static SLOW: AtomicUsize = AtomicUsize::new(0);

async fn slow() {
    SLOW.fetch_add(1, Ordering::SeqCst);
    std::future::pending().await
}

struct Server {
    address: String,
    _stop: DropGuard,
}

async fn server(limits: ConnectionLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop, routes) =
        (listener.local_addr().unwrap().to_string(), CancellationToken::new(), Routes::default());
    let own = Router::new()
        .route("/quick", get(|| async { "quick" }))
        .route("/slow", get(slow))
        .route("/body", post(|_: JsonBytes| async { "read" }));
    routes.open(own, RequestLimits { body_time: HEAD_TIME, ..RequestLimits::default() });
    let program = Program::new("writ-test", &[]);
    let operations = Operations::new(program, "eu".parse().unwrap(), Health::default(), recorder(&[]).handle());
    tokio::spawn(serve(listener, operations, routes, limits, stop.clone()));
    Server { address, _stop: stop.drop_guard() }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// Connects anew and is answered.
    async fn answers(&self) {
        assert!(answered(&mut self.send(QUICK).await).await.ends_with("quick"));
    }
}

/// What arrives until the server closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut all)).await.expect("the connection stays open");
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8(all).unwrap()
}

/// The next answer, which fits into one packet.
async fn answered(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let length = timeout(DEADLINE, stream.read(&mut bytes)).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test]
async fn a_connection_that_sends_nothing_or_only_a_part_of_a_head_is_closed() {
    let server = server(LIMITS).await;
    for begun in [&b""[..], b"G", b"GET /quick HTTP/1.1\r\nhost:", b"PRI * HTTP/2.0\r\n", b"\x16\x03\x01"] {
        let mut stream = server.send(begun).await;
        let answer = until_closed(&mut stream).await;
        assert!(!answer.contains("quick"), "{answer}");
    }
    server.answers().await;
}

#[tokio::test]
async fn a_head_that_trickles_in_is_given_no_more_time() {
    let server = server(LIMITS).await;
    let mut stream = server.send(b"GET /quick HTTP/1.1\r\nhost: x\r\n").await;
    let begun = Instant::now();
    // Each byte is in time, all of them together are not.
    while stream.write_all(b"a").await.is_ok() && begun.elapsed() < DEADLINE {
        tokio::time::sleep(HEAD_TIME / 8).await;
    }
    assert!(begun.elapsed() < DEADLINE, "the server still reads");
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_the_next_request_and_closed_in_the_end() {
    let idle_time = 4 * HEAD_TIME;
    let server = server(ConnectionLimits { idle_time, ..LIMITS }).await;
    let mut stream = server.send(QUICK).await;
    assert!(answered(&mut stream).await.contains("200 OK"));
    tokio::time::sleep(2 * HEAD_TIME).await;
    stream.write_all(QUICK).await.unwrap();
    assert!(answered(&mut stream).await.contains("200 OK"), "it is kept for longer than a head may take");
    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn a_slow_body_is_a_408_and_holds_nobody_up() {
    let server = server(LIMITS).await;
    let slow = b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n[";
    let mut bodies = Vec::new();
    for _ in 0..50 {
        bodies.push(server.send(slow).await);
    }
    server.answers().await;
    for mut body in bodies {
        assert!(answered(&mut body).await.starts_with("HTTP/1.1 408"));
    }
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    // They could stay for longer than the test takes.
    let server = server(ConnectionLimits { head_time: DEADLINE, ..LIMITS }).await;
    let mut used = server.send(QUICK).await;
    assert!(answered(&mut used).await.contains("200 OK"));
    let mut idle = Vec::new();
    for number in 0..500 {
        idle.push(server.connect().await);
        if number % 20 == 0 {
            used.write_all(QUICK).await.unwrap();
            assert!(answered(&mut used).await.contains("200 OK"), "one in use is never the longest idle");
            server.answers().await;
        }
    }
    assert_eq!(until_closed(&mut idle[0]).await, "", "it made room");
    server.answers().await;
}

#[tokio::test]
async fn if_all_are_in_use_a_connection_too_many_is_closed_at_once() {
    let server = server(ConnectionLimits { per_address: 3, ..LIMITS }).await;
    let mut busy = Vec::new();
    for _ in 0..3 {
        busy.push(server.send(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await);
    }
    let begun = Instant::now();
    while SLOW.load(Ordering::SeqCst) < busy.len() {
        assert!(begun.elapsed() < DEADLINE);
        tokio::task::yield_now().await;
    }
    let mut refused = server.connect().await;
    let _ = refused.write_all(QUICK).await;
    assert_eq!(until_closed(&mut refused).await, "");
    drop(busy);
    while begun.elapsed() < DEADLINE {
        let mut stream = server.connect().await;
        if stream.write_all(QUICK).await.is_ok() && !until_closed_or_answered(&mut stream).await.is_empty() {
            return;
        }
    }
    panic!("there is room again, and nobody is answered");
}

async fn until_closed_or_answered(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let length = timeout(DEADLINE, stream.read(&mut bytes)).await.expect("an answer or the end").unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = server(LIMITS).await;
    let mut stream = server.connect().await;
    let head = format!("GET /quick HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "a".repeat(100_000));
    // The server may close before all is sent.
    let _ = stream.write_all(head.as_bytes()).await;
    let answer = answered(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    server.answers().await;
}

#[tokio::test]
async fn what_is_not_http_hurts_nobody() {
    let server = server(LIMITS).await;
    for nonsense in [
        &b"\0\0\0\0\0\0\0\0\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense nonsense nonsense nonsense",
    ] {
        let mut stream = server.send(nonsense).await;
        let _ = answered(&mut stream).await;
    }
    server.answers().await;
}
