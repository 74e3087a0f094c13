//! Export to the collector: a bounded queue, drained by a thread of its own. A slow or unreachable collector costs
//! spans, never requests.
//!
//! QueuedSpans and thread are those of the SDK's [`BatchSpanProcessor`]. It keeps the number of spans it drops to
//! itself, so this module counts what enters and leaves the queue, for `writ_trace_spans_total`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

use super::sampling;

/// Capacity of the queue. Spans beyond that are dropped.
const CAPACITY: usize = 4_096;
/// Maximum number of spans per request.
const BATCH: usize = 512;
/// How long spans wait for a batch to fill up.
const DELAY: Duration = Duration::from_secs(1);

/// The number of spans in the queue.
#[derive(Debug, Default)]
struct QueuedSpans(AtomicUsize);

impl QueuedSpans {
    /// Counts one more span, unless the queue is full.
    fn enters(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| (waiting < CAPACITY).then_some(waiting + 1))
            .is_ok()
    }

    fn leave(&self, spans: usize) {
        self.0.fetch_sub(spans, Ordering::Relaxed);
    }
}

/// Queues spans that have ended and are to be exported.
#[derive(Debug)]
pub(super) struct Processor {
    batches: BatchSpanProcessor,
    queue: Arc<QueuedSpans>,
}

impl Processor {
    pub(super) fn new(otlp: Otlp) -> Self {
        let queue = Arc::new(QueuedSpans::default());
        let exporter = Exporter { otlp, queue: queue.clone(), away: AtomicBool::new(false) };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(CAPACITY)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        Self { batches: BatchSpanProcessor::new(exporter, config), queue }
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let Some(span) = sampling::kept(span) else { return };
        if self.queue.enters() {
            self.batches.on_end(span);
        } else {
            count("dropped", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Sends batches, and logs once when the collector becomes unreachable and once when it is back.
#[derive(Debug)]
struct Exporter {
    otlp: Otlp,
    queue: Arc<QueuedSpans>,
    away: AtomicBool,
}

impl Exporter {
    fn note(&self, result: &OTelSdkResult, spans: usize) {
        count(if result.is_ok() { "exported" } else { "failed" }, spans);
        let was_away = self.away.swap(result.is_err(), Ordering::Relaxed);
        match result {
            Err(error) if !was_away => tracing::warn!(%error, "the trace collector is unreachable; dropping spans"),
            Ok(()) if was_away => tracing::info!("the trace collector is reachable again"),
            _ => {}
        }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.queue.leave(spans);
        let result = self.otlp.export(batch).await;
        self.note(&result, spans);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.otlp.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

/// Initializes the counters to zero: a rate cannot be taken of the first value of a series.
pub(in crate::telemetry) fn begin() {
    ["exported", "failed", "dropped"].into_iter().for_each(|outcome| count(outcome, 0));
}

fn count(outcome: &'static str, spans: usize) {
    metrics::counter!("writ_trace_spans_total", "outcome" => outcome).increment(spans as u64);
}

#[cfg(test)]
mod tests;
