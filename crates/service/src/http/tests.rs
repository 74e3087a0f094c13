use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Extension;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::*;
use crate::RequestId;
use crate::extract::JsonBytes;
use crate::health::Health;
use crate::metrics::{DATABASE, HTTP, PROCESS};
use crate::telemetry::{Program, recorder};

const LIMITS: RequestLimits = RequestLimits { body: 100, time: Duration::from_millis(200) };

struct Running {
    base: String,
    health: Health,
    routes: Routes,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn start() -> Running {
    let listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (health, routes, stop) = (Health::default(), Routes::default(), CancellationToken::new());
    let program = Program::new("writ-test", &[]);
    let operations = Operations::new(program, "eu".parse().unwrap(), health.clone(), recorder(&[]).handle());
    operations.section("topics", || async { json!({"identity-events": 7}) });
    operations.section_on_request("chains", "heads", || async { json!(["long"]) });
    let server = tokio::spawn(serve(listener, operations, routes.clone(), stop.clone()));
    Running { base, health, routes, stop, server }
}

impl Running {
    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = reqwest::get(format!("{}{path}", self.base)).await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }
}

fn example() -> Router {
    Router::new()
        .route("/ids", get(|Extension(id): Extension<RequestId>| async move { id.as_str().to_owned() }))
        .route("/panics", get(async || panics()))
        .route("/hangs", get(std::future::pending::<()>))
        .route("/bodies", post(|_: JsonBytes| async move { "read" }))
}

#[expect(clippy::panic, reason = "what the test is about")]
fn panics() {
    panic!("in a handler");
}

#[tokio::test]
async fn operations_answer_before_the_service_is_wired() {
    let running = start().await;
    let check = running.health.check("database");
    assert_eq!(running.get("/livez").await.0, 200);
    let (status, body) = running.get("/readyz").await;
    assert_eq!(status, 503);
    let starting = json!([{"name": "database", "ready": false, "reason": "starting"}]);
    assert_eq!(body, json!({"ready": false, "checks": starting}));
    assert_eq!(running.get("/ids").await.0, 503);

    check.pass();
    running.routes.open(example(), LIMITS);
    assert_eq!(running.get("/readyz").await.0, 200);
    assert_eq!(running.get("/ids").await.0, 200);
}

#[tokio::test]
async fn status_has_what_the_service_adds() {
    let running = start().await;
    let (status, body) = running.get("/status").await;
    assert_eq!(status, 200);
    assert_eq!(body["service"], "writ-test");
    assert_eq!(body["region"], "eu");
    assert_eq!(body["topics"]["identity-events"], 7);
    assert_eq!(body.get("heads"), None);
    assert_eq!(running.get("/status?chains=1").await.1["heads"], json!(["long"]));
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_problem() {
    let running = start().await;
    running.routes.open(example(), LIMITS);
    for (path, expected) in [("/nowhere", 404), ("/panics", 500), ("/hangs", 503), ("/bodies", 405)] {
        let (status, body) = running.get(path).await;
        assert_eq!(status, expected, "{path}");
        assert_eq!(body["status"], expected, "{path}: {body}");
    }
    assert_eq!(running.get("/ids").await.0, 200, "everything behind it still flows");
}

#[tokio::test]
async fn bodies_are_limited() {
    let running = start().await;
    running.routes.open(example(), LIMITS);
    let client = reqwest::Client::new();
    let send = |body: String| client.post(format!("{}/bodies", running.base)).json(&body).send();
    assert_eq!(send("a".repeat(50)).await.unwrap().status(), 200);
    let answer = send("a".repeat(200)).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn a_request_id_is_echoed_and_goes_no_further() {
    let running = start().await;
    running.routes.open(example(), LIMITS);
    let client = reqwest::Client::new();
    let send = |id: &'static str| client.get(format!("{}/ids", running.base)).header("x-request-id", id).send();

    for sent in ["john.smith:42", "alice@example.com"] {
        let answer = send(sent).await.unwrap();
        assert_eq!(answer.headers()["x-request-id"], sent);
        answer.text().await.unwrap().parse::<uuid::Uuid>().unwrap();
    }

    let answer = reqwest::get(format!("{}/ids", running.base)).await.unwrap();
    let made_up = answer.headers()["x-request-id"].clone();
    assert_eq!(answer.text().await.unwrap(), made_up.to_str().unwrap());
}

#[tokio::test(flavor = "current_thread")]
async fn measurements_name_the_route_and_never_the_path() {
    let recorder = recorder(&[PROCESS, HTTP, DATABASE]);
    let _guard = metrics::set_default_local_recorder(&recorder);
    let routes = Router::new().route("/users/{userId}", get(|| async {}));
    let app = guarded(routes, LIMITS);
    for uri in ["/users/alice@example.com?secret=1", "/users/bob", "/other/carol"] {
        let request = Request::get(uri).body(axum::body::Body::empty()).unwrap();
        let Ok(_) = app.clone().oneshot(request).await;
    }
    let text = recorder.handle().render();
    let matched = r#"http_request_method="GET",http_route="/users/{userId}",http_response_status_code="200"} 2"#;
    assert!(text.contains(matched), "{text}");
    assert!(text.contains(r#"http_route="unmatched",http_response_status_code="404""#), "{text}");
    assert!(!text.contains("alice") && !text.contains("carol") && !text.contains("secret"), "{text}");
}

#[tokio::test(flavor = "current_thread")]
async fn gauges_are_read_when_metrics_are_asked_for() {
    let recorder = recorder(&[PROCESS, HTTP, DATABASE]);
    let _guard = metrics::set_default_local_recorder(&recorder);
    let health = Health::default();
    let check = health.check("database");
    let program = Program::new("writ-test", &[]);
    let operations = Operations::new(program, "eu".parse().unwrap(), health, recorder.handle());
    operations.gauges(|| metrics::gauge!("writ_database_connections_max").set(16.0));
    let metrics = async || {
        let request = Request::get("/metrics").body(axum::body::Body::empty()).unwrap();
        let Ok(answer) = operations.clone().router().oneshot(request).await;
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    };

    let text = metrics().await;
    assert!(text.contains(r#"writ_ready{check="database"} 0"#), "{text}");
    assert!(text.contains("writ_database_connections_max 16"), "{text}");
    check.pass();
    let text = metrics().await;
    assert!(text.contains(r#"writ_ready{check="database"} 1"#), "{text}");
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    let running = start().await;
    let release = CancellationToken::new();
    let released = release.clone();
    let slow = move || async move {
        BEGUN.fetch_add(1, Ordering::SeqCst);
        released.cancelled().await;
        "done"
    };
    running.routes.open(Router::new().route("/slow", get(slow)), RequestLimits::default());
    let request = tokio::spawn(reqwest::get(format!("{}/slow", running.base)));
    while BEGUN.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    running.stop.cancel();
    release.cancel();
    assert_eq!(request.await.unwrap().unwrap().text().await.unwrap(), "done");
    running.server.await.unwrap().unwrap();
}
