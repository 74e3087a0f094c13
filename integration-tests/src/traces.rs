//! A trace collector that keeps what it is sent, so that a test can look for what must not be in it, and hands it on
//! to Jaeger, if there is one, so that a test can ask for a trace.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;

/// Listens for OTLP over HTTP.
pub(crate) struct Traces {
    port: u16,
    received: Arc<Mutex<Vec<u8>>>,
    jaeger: Arc<OnceLock<String>>,
}

impl Traces {
    /// On its own thread: tests come and go with their runtimes.
    pub(crate) fn listen() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let jaeger = Arc::new(OnceLock::<String>::new());
        let (keep, next, http) = (received.clone(), jaeger.clone(), writ_client::http());
        let take = move |body: Bytes| async move {
            keep.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&body);
            if let Some(jaeger) = next.get() {
                hand_on(&http, jaeger, body).await;
            }
        };
        let router = Router::new().route("/v1/traces", post(take));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await })
        });
        Ok(Self { port, received, jaeger })
    }

    /// Hands on what comes from now on to the Jaeger that takes spans at `otlp`.
    pub(crate) fn hand_on_to(&self, otlp: String) {
        // Set once: a cluster is opened once.
        let _ = self.jaeger.set(otlp);
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A test that misses a span says so itself.
async fn hand_on(http: &reqwest::Client, otlp: &str, body: Bytes) {
    let request = http.post(format!("{otlp}/v1/traces")).header("content-type", "application/x-protobuf").body(body);
    if let Err(error) = request.send().await {
        eprintln!("Jaeger does not take spans: {error}");
    }
}
