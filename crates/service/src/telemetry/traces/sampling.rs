//! Which spans are exported: a share of the traces, and every span that failed.
//!
//! The head of a trace decides for all of it, before anything has gone wrong. So that an error in a trace that was not
//! chosen is not lost, its spans are recorded all the same, and [`kept`] picks the failed ones when they end.

use opentelemetry::trace::{Link, SpanContext, SpanKind, Status, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample, SpanData};

/// OpenTelemetry's attribute for the kind of an error.
const ERROR_TYPE: &str = "error.type";

/// Samples a share of the traces that begin here, and continues every trace that the caller has sampled.
#[derive(Debug, Clone)]
pub(super) struct KeepErrors {
    usual: Sampler,
    high_volume: Sampler,
    high_volume_routes: Option<&'static str>,
}

impl KeepErrors {
    /// Samples a share of `ratio`, and of traces that begin with a request to one of the high-volume routes a share of
    /// `high_volume_ratio`.
    pub(super) fn new(ratio: f64, high_volume_ratio: f64, high_volume_routes: Option<&'static str>) -> Self {
        let share = |ratio| Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
        Self { usual: share(ratio), high_volume: share(high_volume_ratio), high_volume_routes }
    }

    /// Whether a span is a request to a high-volume route. Such spans are named `<method> <route>`.
    fn is_high_volume(&self, span: &str) -> bool {
        let Some(prefix) = self.high_volume_routes else { return false };
        span.split_once(' ').is_some_and(|(_, route)| route.starts_with(prefix))
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
        let high_volume = self.is_high_volume(name);
        let sampler = if high_volume { &self.high_volume } else { &self.usual };
        let result = sampler.should_sample(parent, trace, name, kind, attributes, links);
        if result.decision != SamplingDecision::Drop {
            return result;
        }
        // Recording thousands of requests a second only to see that none failed costs too much. A request to such a
        // route is therefore dropped here. If it fails, `http::observe` makes a span afterwards, which already has
        // its error type when it begins.
        let already_failed = attributes.iter().any(|attribute| attribute.key.as_str() == ERROR_TYPE);
        match high_volume && !already_failed {
            true => result,
            // Recorded, but not marked as sampled: other processes do not continue the trace, and `kept` decides at
            // the end of the span.
            false => SamplingResult { decision: SamplingDecision::RecordOnly, ..result },
        }
    }
}

/// The span if it is to be exported: sampled, or failed. Exporters take only what is marked as sampled, so a span that
/// failed is marked.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(sampler: &KeepErrors, name: &str, attributes: &[KeyValue]) -> SamplingDecision {
        sampler.should_sample(None, TraceId::from(7), name, &SpanKind::Server, attributes, &[]).decision
    }

    #[test]
    fn high_volume_routes_have_a_share_of_their_own() {
        let sampled = |sampler: &KeepErrors, name| decision(sampler, name, &[]) == SamplingDecision::RecordAndSample;
        let only_usual = &KeepErrors::new(1.0, 0.0, Some("/busy/"));
        assert!(sampled(only_usual, "POST /teams"));
        assert!(sampled(only_usual, "POST /teams/busy/"));
        assert!(!sampled(only_usual, "POST /busy/question"));
        assert!(sampled(&KeepErrors::new(0.0, 1.0, Some("/busy/")), "POST /busy/questions"));
        assert!(sampled(&KeepErrors::new(1.0, 0.0, None), "POST /busy/question"));
    }

    #[test]
    fn a_high_volume_request_that_is_not_sampled_is_recorded_only_if_it_failed() {
        let sampler = &KeepErrors::new(0.0, 0.0, Some("/busy/"));
        let failed = [KeyValue::new(ERROR_TYPE, "500")];
        assert_eq!(decision(sampler, "POST /busy/question", &[]), SamplingDecision::Drop);
        assert_eq!(decision(sampler, "POST /busy/question", &failed), SamplingDecision::RecordOnly);
        assert_eq!(decision(sampler, "POST /teams", &[]), SamplingDecision::RecordOnly);
    }
}
