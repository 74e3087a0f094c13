//! Which spans are exported: a share of the traces, and whatever went wrong.

use opentelemetry::trace::{Link, SpanContext, SpanKind, Status, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample, SpanData};

/// A share of the traces that begin here, and all that the caller has sampled. The other spans are
/// recorded too, because only their end tells whether something went wrong.
#[derive(Debug, Clone)]
pub(super) struct KeepErrors(Sampler);

impl KeepErrors {
    pub(super) fn of(ratio: f64) -> Self {
        Self(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
    }
}

impl ShouldSample for KeepErrors {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let result = self.0.should_sample(parent, trace, name, kind, attributes, links);
        match result.decision {
            SamplingDecision::Drop => SamplingResult { decision: SamplingDecision::RecordOnly, ..result },
            _ => result,
        }
    }
}

/// The span if it is to be exported: sampled, or an error, which then counts as sampled.
pub(super) fn kept(mut span: SpanData) -> Option<SpanData> {
    if span.span_context.is_sampled() {
        return Some(span);
    }
    matches!(span.status, Status::Error { .. }).then(|| {
        span.span_context = sampled(&span.span_context);
        span
    })
}

fn sampled(span: &SpanContext) -> SpanContext {
    let flags = span.trace_flags().with_sampled(true);
    SpanContext::new(span.trace_id(), span.span_id(), flags, span.is_remote(), span.trace_state().clone())
}
