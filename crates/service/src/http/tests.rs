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

const LIMITS: RequestLimits = RequestLimits {
    body: 100,
    body_time: Duration::from_secs(10),
    time: Duration::from_millis(200),
    concurrent: 512,
    rate_per_organization: 1_000,
    concurrent_per_organization: 128,
};

struct Running {
    base: String,
    operations: String,
    health: Health,
    routes: Routes,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<()>,
}

async fn start() -> Running {
    let (listener, operations_listener) = (listen().await, listen().await);
    let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let (base, operational) = (address(&listener), address(&operations_listener));
    let (health, routes, stop) = (Health::default(), Routes::default(), CancellationToken::new());
    let program = Program::new("writ-test", &[]);
    let operations = Operations::new(program, "eu".parse().unwrap(), health.clone(), recorder(&[]).handle());
    operations.section("topics", || async { json!({"identity-events": 7}) });
    operations.section_on_request("chains", "heads", || async { json!(["long"]) });
    tokio::spawn(serve_operations(operations_listener, operations.clone(), stop.clone()));
    let server = tokio::spawn(serve(listener, operations, routes.clone(), ConnectionLimits::PUBLIC, stop.clone()));
    Running { base, operations: operational, health, routes, stop, server }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

impl Running {
    async fn get(&self, path: &str) -> (u16, Value) {
        Self::get_from(&self.base, path).await
    }

    async fn get_operational(&self, path: &str) -> (u16, Value) {
        Self::get_from(&self.operations, path).await
    }

    async fn get_from(base: &str, path: &str) -> (u16, Value) {
        let answer = reqwest::get(format!("{base}{path}")).await.unwrap();
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
    assert_eq!(running.get_operational("/livez").await.0, 200);
    let (status, body) = running.get_operational("/readyz").await;
    assert_eq!(status, 503);
    let starting = json!([{"name": "database", "ready": false, "reason": "starting"}]);
    assert_eq!(body, json!({"ready": false, "checks": starting}));
    assert_eq!(running.get("/ids").await.0, 503);

    check.pass();
    running.routes.open(example(), LIMITS);
    assert_eq!(running.get_operational("/readyz").await.0, 200);
    assert_eq!(running.get("/ids").await.0, 200);
}

#[tokio::test]
async fn clients_learn_only_whether_the_service_is_ready() {
    let running = start().await;
    let check = running.health.check("database");
    running.routes.open(example(), LIMITS);
    assert_eq!(running.get("/livez").await.0, 200);
    assert_eq!(running.get("/readyz").await, (503, json!({"ready": false})));
    check.pass();
    assert_eq!(running.get("/readyz").await, (200, json!({"ready": true})));
    for path in ["/metrics", "/status"] {
        assert_eq!(running.get(path).await.0, 404, "{path}");
        assert_eq!(running.get_operational(path).await.0, 200, "{path}");
    }
    assert_eq!(running.get_operational("/ids").await.0, 404);
}

#[tokio::test]
async fn status_has_what_the_service_adds() {
    let running = start().await;
    let (status, body) = running.get_operational("/status").await;
    assert_eq!(status, 200);
    assert_eq!(body["service"], "writ-test");
    assert_eq!(body["region"], "eu");
    assert_eq!(body["topics"]["identity-events"], 7);
    assert_eq!(body.get("heads"), None);
    assert_eq!(running.get_operational("/status?chains=1").await.1["heads"], json!(["long"]));
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

/// Requests of organizations 1 and 2 that hang until they are released, or only until they are cancelled.
fn charged(release: &CancellationToken) -> Router {
    let hang = |number: u32| {
        let release = release.clone();
        post(move |extensions: axum::http::Extensions| async move {
            let organization = writ_contract::OrganizationId::from_parts("us".parse().unwrap(), 0, number);
            InFlight::of(&extensions).charge(organization, None)?;
            release.cancelled().await;
            Ok::<_, Problem>("done")
        })
    };
    let waits = release.clone();
    let wait = post(move |extensions: axum::http::Extensions| async move {
        InFlight::of(&extensions).waiting(waits.cancelled()).await.map(|()| "done")
    });
    Router::new().route("/1", hang(1)).route("/2", hang(2)).route("/wait", wait)
}

/// What is asked, one after the other, until `number` requests are in flight.
async fn ask_without_body(app: &Router, path: &str) -> tokio::task::JoinHandle<Response> {
    let body = axum::body::Body::from_stream(futures::stream::pending::<std::io::Result<axum::body::Bytes>>());
    let request = Request::post(path).body(body).unwrap();
    let app = app.clone();
    let asked = tokio::spawn(async move {
        let Ok(answer) = app.oneshot(request).await;
        answer
    });
    // The request reaches its handler, or is refused, before this task goes on: there is one thread.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    asked
}

#[tokio::test(flavor = "current_thread")]
async fn requests_over_a_limit_are_refused_before_their_body_arrives() {
    let release = CancellationToken::new();
    let limits = RequestLimits { concurrent: 3, concurrent_per_organization: 2, ..RequestLimits::default() };
    let app = guarded(charged(&release), limits);
    let first = [ask_without_body(&app, "/1").await, ask_without_body(&app, "/1").await];
    let (held_back, since) = (ask_without_body(&app, "/1").await, std::time::Instant::now());
    let other = ask_without_body(&app, "/2").await;
    let refused = held_back.await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    assert!(since.elapsed() >= std::time::Duration::from_millis(900), "whoever is refused may not ask without end");
    let refused = ask_without_body(&app, "/2").await.await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    release.cancel();
    for answered in first.into_iter().chain([other]) {
        assert_eq!(answered.await.unwrap().status(), 200);
    }
    assert_eq!(ask_without_body(&app, "/1").await.await.unwrap().status(), 200);
}

#[tokio::test(flavor = "current_thread")]
async fn a_request_that_waits_for_a_state_gives_its_place_away() {
    let release = CancellationToken::new();
    let app = guarded(charged(&release), RequestLimits { concurrent: 1, ..RequestLimits::default() });
    let waiting = [ask_without_body(&app, "/wait").await, ask_without_body(&app, "/wait").await];
    let working = ask_without_body(&app, "/1").await;
    assert_eq!(ask_without_body(&app, "/1").await.await.unwrap().status(), 503);
    release.cancel();
    assert_eq!(working.await.unwrap().status(), 200);
    for waited in waiting {
        assert!([200, 503].contains(&waited.await.unwrap().status().as_u16()));
    }
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
    let routes = Router::new()
        .route("/users/{userId}", get(|| async {}))
        .route("/behind", get(|| async { Problem::unavailable("not here yet", 1).of_type("behind") }))
        .route("/broken", get(|| async { Problem::internal(anyhow::anyhow!("broken")) }));
    let app = guarded(routes, LIMITS);
    for uri in ["/users/alice@example.com?secret=1", "/users/bob", "/other/carol", "/behind", "/broken"] {
        let request = Request::get(uri).body(axum::body::Body::empty()).unwrap();
        let Ok(_) = app.clone().oneshot(request).await;
    }
    let text = recorder.handle().render();
    let matched =
        r#"http_request_method="GET",http_route="/users/{userId}",http_response_status_code="200",error_type=""} 2"#;
    assert!(text.contains(matched), "{text}");
    assert!(text.contains(r#"http_route="unmatched",http_response_status_code="404""#), "{text}");
    assert!(text.contains(r#"http_response_status_code="503",error_type="behind""#), "{text}");
    assert!(text.contains(r#"http_response_status_code="500",error_type="500""#), "{text}");
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
    running.server.await.unwrap();
}
