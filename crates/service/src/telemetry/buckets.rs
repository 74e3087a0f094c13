//! The Prometheus recorder and the buckets of its histograms.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use super::catalogue::{self, Kind};

/// Seconds. Fine between 1 and 100 ms, where propagation and requests are to lie.
pub(super) const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04,
    0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];
/// Seconds, for what is answered from memory.
pub(super) const IN_MEMORY: &[f64] = &[
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005,
    0.01, 0.1,
];

/// A recorder whose histograms have buckets, so that regions and replicas can be added up.
pub fn recorder() -> PrometheusRecorder {
    let mut histograms = catalogue::all().filter_map(|metric| match metric.kind {
        Kind::Histogram(bounds) => Some((Matcher::Full(metric.name.to_owned()), bounds)),
        Kind::Counter | Kind::Gauge => None,
    });
    histograms
        .try_fold(PrometheusBuilder::new(), |builder, (name, bounds)| builder.set_buckets_for_metric(name, bounds))
        // Only an empty list of buckets is refused.
        .unwrap_or_default()
        .build_recorder()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_histogram_has_the_buckets_it_is_declared_with() {
        let recorder = recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("writ_propagation_seconds", "stage" => "total").record(0.011);
            metrics::histogram!("writ_decision_duration_seconds").record(0.000_004);
        });
        let text = recorder.handle().render();
        for line in [
            r#"writ_propagation_seconds_bucket{stage="total",le="0.0125"} 1"#,
            r#"writ_propagation_seconds_bucket{stage="total",le="0.01"} 0"#,
            r#"writ_decision_duration_seconds_bucket{le="0.000005"} 1"#,
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
