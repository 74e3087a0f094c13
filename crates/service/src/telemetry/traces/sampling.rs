//! Which spans are exported: a share of the traces, and whatever went wrong.

use opentelemetry::trace::{Link, SpanContext, SpanKind, Status, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample, SpanData};

/// Names of requests to the read API hold this: there are thousands of them for each change.
const QUESTION: &str = " /access/v1/";
/// OpenTelemetry's attribute of what failed.
const ERROR_TYPE: &str = "error.type";

/// A share of the traces that begin here, another of those that begin with a question to the read API, and all that the
/// caller has sampled. The other spans are recorded too, because only their end tells whether something went wrong; but
/// not questions, of which there are too many: whoever answers one with an error records that as a span of its own.
#[derive(Debug, Clone)]
pub(super) struct KeepErrors {
    questions: Sampler,
    others: Sampler,
}

impl KeepErrors {
    pub(super) fn of(ratio: f64, questions: f64) -> Self {
        let share = |ratio| Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
        Self { questions: share(questions), others: share(ratio) }
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
        let question = name.contains(QUESTION);
        let sampler = if question { &self.questions } else { &self.others };
        let result = sampler.should_sample(parent, trace, name, kind, attributes, links);
        let failed = attributes.iter().any(|attribute| attribute.key.as_str() == ERROR_TYPE);
        match result.decision {
            SamplingDecision::Drop if failed || !question => {
                SamplingResult { decision: SamplingDecision::RecordOnly, ..result }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled(sampler: &KeepErrors, name: &str) -> bool {
        let result = sampler.should_sample(None, TraceId::from(7), name, &SpanKind::Server, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn questions_have_a_share_of_their_own() {
        let only_changes = KeepErrors::of(1.0, 0.0);
        assert!(sampled(&only_changes, "POST /v3/teams"));
        assert!(!sampled(&only_changes, "POST /access/v1/evaluation"));
        assert!(sampled(&KeepErrors::of(0.0, 1.0), "POST /access/v1/evaluations"));
    }

    #[test]
    fn a_question_that_is_not_sampled_is_recorded_only_if_it_failed() {
        let decision = |name, attributes: &[KeyValue]| {
            let sampler = KeepErrors::of(0.0, 0.0);
            sampler.should_sample(None, TraceId::from(7), name, &SpanKind::Server, attributes, &[]).decision
        };
        let (question, failed) = ("POST /access/v1/evaluation", [KeyValue::new(ERROR_TYPE, "500")]);
        assert_eq!(decision(question, &[]), SamplingDecision::Drop);
        assert_eq!(decision(question, &failed), SamplingDecision::RecordOnly);
        assert_eq!(decision("POST /v3/teams", &[]), SamplingDecision::RecordOnly);
    }
}
