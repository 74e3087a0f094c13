//! The way to the collector: a bounded queue, emptied by a thread of its own. A collector that is
//! slow or away costs spans, never requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

use super::sampling;

/// So many spans may wait; what comes then is dropped.
const ROOM: usize = 4_096;
/// So many are sent at once, or those that there are after a second.
const BATCH: usize = 512;
const DELAY: Duration = Duration::from_secs(1);

/// How many spans wait.
#[derive(Debug, Default)]
struct Queue(AtomicUsize);

impl Queue {
    /// Whether there was room for one more.
    fn enters(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| (waiting < ROOM).then_some(waiting + 1))
            .is_ok()
    }

    fn leave(&self, spans: usize) {
        self.0.fetch_sub(spans, Ordering::Relaxed);
    }
}

/// Takes spans that have ended.
#[derive(Debug)]
pub(super) struct Processor {
    batches: BatchSpanProcessor,
    queue: Arc<Queue>,
}

impl Processor {
    pub(super) fn new(otlp: Otlp) -> Self {
        let queue = Arc::new(Queue::default());
        let exporter = Exporter { otlp, queue: queue.clone(), away: AtomicBool::new(false) };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(ROOM)
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

/// Sends batches, and says once when the collector goes away and once when it is back.
#[derive(Debug)]
struct Exporter {
    otlp: Otlp,
    queue: Arc<Queue>,
    away: AtomicBool,
}

impl Exporter {
    fn note(&self, result: &OTelSdkResult, spans: usize) {
        count(if result.is_ok() { "exported" } else { "failed" }, spans);
        let was_away = self.away.swap(result.is_err(), Ordering::Relaxed);
        match result {
            Err(error) if !was_away => tracing::warn!(%error, "the trace collector takes no spans; they are dropped"),
            Ok(()) if was_away => tracing::info!("the trace collector takes spans again"),
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

/// Lets the counters exist, at zero: a rate cannot be taken of the first value of a series.
pub(in crate::telemetry) fn begin() {
    ["exported", "failed", "dropped"].into_iter().for_each(|outcome| count(outcome, 0));
}

fn count(outcome: &'static str, spans: usize) {
    metrics::counter!("writ_trace_spans_total", "outcome" => outcome).increment(spans as u64);
}

#[cfg(test)]
mod tests;
