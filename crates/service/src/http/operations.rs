//! `/livez`, `/readyz`, `/metrics` and `/status`, on a listener of their own. They answer from the start, to show what a
//! service waits for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::BoxFuture;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use writ_contract::Region;

use crate::health::Health;
use crate::telemetry::{Program, process};

const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

type Section = Arc<dyn Fn() -> BoxFuture<'static, Value> + Send + Sync>;
type Gauges = Arc<dyn Fn() + Send + Sync>;

/// The operational routes of a process. Clones share them.
#[derive(Clone)]
pub struct Operations {
    program: Program,
    region: Region,
    health: Health,
    metrics: PrometheusHandle,
    sections: Arc<Mutex<BTreeMap<&'static str, Section>>>,
    /// Long sections, by the query parameter that includes them.
    on_request: Arc<Mutex<BTreeMap<&'static str, (&'static str, Section)>>>,
    gauges: Arc<Mutex<Vec<Gauges>>>,
    begun: Instant,
}

impl Operations {
    /// The operational routes of `program`.
    pub fn new(program: Program, region: Region, health: Health, metrics: PrometheusHandle) -> Self {
        let (sections, on_request, gauges) = (Arc::default(), Arc::default(), Arc::default());
        Self { program, region, health, metrics, sections, on_request, gauges, begun: Instant::now() }
    }

    /// Adds a member to the JSON of `/status`, computed for each request.
    pub fn section<F>(&self, name: &'static str, section: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Value> + Send + 'static,
    {
        let section: Section = Arc::new(move || Box::pin(section()));
        self.sections().insert(name, section);
    }

    /// Like [`Operations::section`], but only included with `?<parameter>=1`.
    pub fn section_on_request<F>(
        &self,
        parameter: &'static str,
        name: &'static str,
        section: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Value> + Send + 'static,
    {
        let section: Section = Arc::new(move || Box::pin(section()));
        self.on_request.lock().unwrap_or_else(PoisonError::into_inner).insert(parameter, (name, section));
    }

    /// Adds gauges that `read` sets whenever `/metrics` is read. It must not block.
    pub fn gauges(&self, read: impl Fn() + Send + Sync + 'static) {
        self.gauges.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(read));
    }

    /// Updates all gauges.
    fn measure(&self) {
        process::measure();
        for check in self.health.findings() {
            metrics::gauge!("writ_ready", "check" => check.name).set(f64::from(u8::from(check.ready)));
        }
        let gauges = self.gauges.lock().unwrap_or_else(PoisonError::into_inner).clone();
        gauges.iter().for_each(|read| read());
    }

    /// The long sections that a query includes.
    fn requested(&self, query: &BTreeMap<String, String>) -> Vec<(&'static str, Section)> {
        let known = self.on_request.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = known.iter().filter(|(parameter, _)| query.get(**parameter).is_some_and(|value| value == "1"));
        asked.map(|(_, (name, section))| (*name, section.clone())).collect()
    }

    /// Name of the program.
    pub fn name(&self) -> &'static str {
        self.program.name
    }

    /// `/livez`, and `/readyz` without names and reasons of checks, which may tell of what is inside.
    pub(super) fn public_router(self) -> Router {
        Router::new().route("/livez", get(|| async { "ok" })).route("/readyz", get(ready_or_not)).with_state(self)
    }

    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/livez", get(|| async { "ok" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/status", get(status))
            .with_state(self)
    }

    fn sections(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Section>> {
        self.sections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ready_or_not(State(operations): State<Operations>) -> Response {
    let ready = operations.health.ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready }))).into_response()
}

async fn readyz(State(operations): State<Operations>) -> Response {
    let checks = operations.health.findings();
    let ready = checks.iter().all(|check| check.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "checks": checks }))).into_response()
}

async fn metrics(State(operations): State<Operations>) -> impl IntoResponse {
    operations.measure();
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], operations.metrics.render())
}

async fn status(State(operations): State<Operations>, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let mut status = json!({
        "service": operations.program.name,
        "version": operations.program.version,
        "region": operations.region,
        "uptime_seconds": operations.begun.elapsed().as_secs(),
        "ready": operations.health.ready(),
        "checks": operations.health.findings(),
    });
    let sections = operations.sections().clone();
    for (name, section) in sections.into_iter().chain(operations.requested(&query)) {
        status[name] = section().await;
    }
    Json(status)
}
