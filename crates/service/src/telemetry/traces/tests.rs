use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use opentelemetry::trace::Tracer;
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::http::{RequestLimits, guarded};

#[derive(serde::Deserialize)]
struct NoSettings {}

impl crate::ServiceSettings for NoSettings {
    const REQUIRED: crate::Required = &[];
}

const PROGRAM: Program =
    Program { version: "1.2.3", high_volume_routes: Some("/busy/"), ..Program::new("writ-test", &[]) };
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const PARENT_TRACE: [u8; 16] = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();

fn common(collector: Option<SocketAddr>) -> Common {
    with_ratio(collector, "1")
}

fn with_ratio(collector: Option<SocketAddr>, ratio: &str) -> Common {
    let endpoint = collector.map(|address| format!("http://{address}")).unwrap_or_default();
    let variables = [
        ("WRIT_REGION", "eu"),
        ("WRIT_REGIONS", "eu"),
        ("WRIT_KAFKA_BROKERS", "localhost:1"),
        ("WRIT_DATABASE_URL", "postgres://localhost/none"),
        ("WRIT_OPERATIONS_LISTEN", "127.0.0.1:0"),
        ("WRIT_OTLP_ENDPOINT", &endpoint),
        ("WRIT_TRACE_RATIO", ratio),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    crate::config::load_from::<NoSettings>(variables).unwrap().0
}

/// Takes one request, answers 200 and gives back what it was sent.
fn collector() -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut piece) = (Vec::new(), [0; 4096]);
        while missing(&request) {
            let read = stream.read(&mut piece).unwrap();
            request.extend_from_slice(&piece[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        request
    });
    (address, taken)
}

fn missing(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return true };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    request.len() < end + 4 + length.parse::<usize>().unwrap()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|bytes| bytes == needle)
}

/// One request with a parent trace through everything requests get; the answer's body.
async fn one_request(provider: &SdkTracerProvider, handler: axum::routing::MethodRouter) -> String {
    let subscriber = tracing_subscriber::registry().with(layer(provider));
    let _guard = tracing::subscriber::set_default(subscriber);
    let app = guarded(Router::new().route("/users/{userId}", handler), RequestLimits::default());
    answer(app, "/users/alice?secret=1", PARENT).await
}

async fn answer(app: Router, path: &str, parent: &str) -> String {
    let request = Request::get(path).header("traceparent", parent).body(Body::empty()).unwrap();
    let Ok(answer) = app.oneshot(request).await;
    let bytes = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_span_continues_the_callers_trace_and_names_service_and_region() {
    let (address, taken) = collector();
    let provider = provider(PROGRAM, &common(Some(address))).unwrap();
    one_request(&provider, get(|| async {})).await;
    tokio::task::spawn_blocking(move || provider.shutdown()).await.unwrap().unwrap();
    let sent = taken.join().unwrap();
    for part in ["POST /v1/traces", "writ-test", "1.2.3", "writ.region", "cloud.region", "GET /users/{userId}"] {
        assert!(holds(&sent, part.as_bytes()), "{part}");
    }
    assert!(holds(&sent, &PARENT_TRACE), "the trace id of the caller");
    assert!(!holds(&sent, b"alice") && !holds(&sent, b"secret=1"), "neither path nor query");
}

/// Neither the ratio nor the caller wants these traces; what went wrong is exported all the same.
#[tokio::test]
async fn an_error_is_exported_even_if_its_trace_is_not_sampled() {
    let (address, taken) = collector();
    let provider = provider(PROGRAM, &with_ratio(Some(address), "0")).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer(&provider));
    let guard = tracing::subscriber::set_default(subscriber);
    // A busy route has a span only if it failed: it is recorded by the provider of the whole process.
    global::set_tracer_provider(provider.clone());
    let broken = || get(|| async { crate::Problem::internal(anyhow::anyhow!("broken")) });
    let routes = Router::new()
        .route("/fine", get(|| async {}))
        .route("/absent", get(|| async { crate::Problem::not_found("none") }))
        .route("/broken", broken())
        .route("/busy/fine", get(|| async {}))
        .route("/busy/broken", broken());
    let app = guarded(routes, RequestLimits::default());
    let unsampled = PARENT.replace("-01", "-00");
    for path in ["/fine", "/absent", "/broken", "/busy/fine", "/busy/broken"] {
        answer(app.clone(), path, &unsampled).await;
    }
    answer(app, "/fine", "").await;
    drop(guard);
    tokio::task::spawn_blocking(move || provider.shutdown()).await.unwrap().unwrap();
    let sent = taken.join().unwrap();
    assert!(holds(&sent, b"GET /broken") && holds(&sent, b"GET /busy/broken"), "the errors");
    assert!(holds(&sent, &PARENT_TRACE), "in the caller's trace");
    let others = [&b"GET /fine"[..], b"GET /absent", b"GET /busy/fine"];
    assert!(!others.iter().any(|name| holds(&sent, name)), "and nothing else");
}

/// The collector takes connections and never answers.
#[test]
fn a_collector_that_hangs_holds_up_no_span() {
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let provider = provider(PROGRAM, &common(Some(hangs.local_addr().unwrap()))).unwrap();
    let tracer = provider.tracer("test");
    let begun = Instant::now();
    (0..20_000).for_each(|_| drop(tracer.start("span")));
    assert!(begun.elapsed() < EXPORT_TIMEOUT, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn without_a_collector_a_problem_still_names_the_trace() {
    let provider = provider(PROGRAM, &common(None)).unwrap();
    let answer = one_request(&provider, get(|| async { crate::Problem::not_found("none") })).await;
    assert!(answer.contains("writ:trace:0af7651916cd43dd8448eb211c80319c"), "{answer}");
}

#[tokio::test]
async fn a_collector_that_is_down_delays_neither_requests_nor_the_end() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let provider = provider(PROGRAM, &common(Some(nobody))).unwrap();
    let begun = Instant::now();
    one_request(&provider, get(|| async {})).await;
    let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(Duration::from_secs(2))).await;
    assert!(ended.is_ok());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_collector_behind_tls_is_refused_by_name() {
    let endpoint = "https://collector:4318".parse().unwrap();
    assert_eq!(exporter(&endpoint).unwrap_err().variable(), "WRIT_OTLP_ENDPOINT");
}
