//! Which spans are exported: a share of the traces, and every span that failed.
//!
//! Only so many traces a second begin here, and only so many are continued that a caller has sampled: tracing would otherwise
//! cost most when there is most to do, and callers could have every request exported.
//!
//! The head of a trace decides for all of it, before anything has gone wrong. So that an error in a trace that was not
//! chosen is not lost, its spans are recorded all the same, and [`kept`] picks the failed ones when they end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use opentelemetry::trace::{Link, SpanContext, SpanKind, Status, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample, SpanData};

/// OpenTelemetry's attribute for the kind of an error.
const ERROR_TYPE: &str = "error.type";

/// Samples a share of the traces that begin here, and continues traces that the caller has sampled.
#[derive(Debug, Clone)]
pub(super) struct KeepErrors {
    usual: Sampler,
    high_volume: Sampler,
    high_volume_routes: Option<&'static str>,
    own: Arc<Mutex<Allowance>>,
    callers: Arc<Mutex<Allowance>>,
}

/// So many a second, and `most` at once after a quiet time.
#[derive(Debug)]
struct Allowance {
    per_second: f64,
    most: f64,
    left: f64,
    counted_at: Instant,
}

impl Allowance {
    /// That of `seconds` may be used at once.
    fn new(per_second: f64, seconds: f64) -> Self {
        let most = per_second * seconds;
        Self { per_second, most, left: most, counted_at: Instant::now() }
    }

    fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.counted_at).as_secs_f64() * self.per_second;
        self.left = (self.left + gained).min(self.most);
        self.counted_at = now;
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}

impl KeepErrors {
    /// Samples a share of `ratio`, and of traces that begin with a request to one of the high-volume routes a share of
    /// `high_volume_ratio`.
    pub(super) fn new(ratio: f64, high_volume_ratio: f64, high_volume_routes: Option<&'static str>) -> Self {
        let share = |ratio| Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
        let unlimited = || Arc::new(Mutex::new(Allowance::new(f64::INFINITY, 1.0)));
        let (own, callers) = (unlimited(), unlimited());
        Self { usual: share(ratio), high_volume: share(high_volume_ratio), high_volume_routes, own, callers }
    }

    /// Begins at most so many traces a second, after a quiet time those of ten seconds at once.
    pub(super) fn per_second(self, traces: u32) -> Self {
        Self { own: Arc::new(Mutex::new(Allowance::new(traces.into(), 10.0))), ..self }
    }

    /// Continues at most so many traces a second that callers have sampled.
    pub(super) fn callers_per_second(self, traces: u32) -> Self {
        Self { callers: Arc::new(Mutex::new(Allowance::new(traces.into(), 1.0))), ..self }
    }

    /// Whether a sampled span begins a trace, or is the request of a caller who has sampled it, and there have been too many of
    /// those.
    fn is_one_too_many(&self, parent: Option<&Context>, kind: &SpanKind) -> bool {
        let parent = parent.map(|parent| parent.span().span_context().clone()).filter(SpanContext::is_valid);
        let allowance = match parent {
            None => &self.own,
            Some(caller) if caller.is_remote() && *kind == SpanKind::Server => &self.callers,
            Some(_) => return false,
        };
        !allowance.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
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
        let mut result = sampler.should_sample(parent, trace, name, kind, attributes, links);
        if result.decision == SamplingDecision::RecordAndSample {
            if !self.is_one_too_many(parent, kind) {
                return result;
            }
            result.decision = SamplingDecision::Drop;
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
    fn callers_have_only_so_many_traces_exported() {
        let sampler = &KeepErrors::new(0.0, 0.0, None).callers_per_second(3);
        let caller = SpanContext::new(
            TraceId::from(7),
            opentelemetry::trace::SpanId::from(7),
            opentelemetry::TraceFlags::SAMPLED,
            true,
            Default::default(),
        );
        let parent = Context::new().with_remote_span_context(caller);
        let request = |kind| sampler.should_sample(Some(&parent), TraceId::from(7), "GET /", &kind, &[], &[]).decision;
        let sampled = (0..10).filter(|_| request(SpanKind::Server) == SamplingDecision::RecordAndSample).count();
        assert_eq!(sampled, 3);
        assert_eq!(request(SpanKind::Consumer), SamplingDecision::RecordAndSample, "a record of our own");
        let mut allowance = Allowance::new(2.0, 1.0);
        let later = allowance.counted_at + std::time::Duration::from_secs(60);
        assert_eq!([0; 3].map(|_| allowance.take(later)), [true, true, false]);
    }

    #[test]
    fn only_so_many_traces_begin_here() {
        let sampler = KeepErrors::new(1.0, 1.0, Some("/busy/"));
        for route in ["POST /teams", "POST /busy/question"] {
            let sampler = sampler.clone().per_second(2);
            let sampled = (0..50).filter(|_| decision(&sampler, route, &[]) == SamplingDecision::RecordAndSample);
            assert_eq!(sampled.count(), 20, "those of ten seconds");
        }
        let unsampled = KeepErrors::new(0.0, 0.0, None).per_second(2);
        (0..50).for_each(|_| assert_eq!(decision(&unsampled, "POST /teams", &[]), SamplingDecision::RecordOnly));
        assert!(unsampled.own.lock().unwrap().left >= 20.0, "what is not sampled uses nothing up");
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
