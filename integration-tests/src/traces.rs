//! A trace collector that keeps what it is sent, so that a test can look for what must not be in it.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;

/// Listens for OTLP over HTTP.
pub(crate) struct Traces {
    port: u16,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Traces {
    /// On its own thread: tests come and go with their runtimes.
    pub(crate) fn listen() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let keep = received.clone();
        let take = move |body: Bytes| async move {
            keep.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&body);
        };
        let router = Router::new().route("/v1/traces", post(take));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await })
        });
        Ok(Self { port, received })
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
