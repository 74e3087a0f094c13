//! The Prometheus recorder, configured by the declarations of the metrics.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use writ_metrics::{Metric, MetricKind};

/// A recorder whose histograms have the declared buckets, so that they can be added up across replicas and regions.
pub fn recorder(groups: &[&[Metric]]) -> PrometheusRecorder {
    let mut histograms = groups.iter().copied().flatten().filter_map(|metric| match metric.kind {
        MetricKind::Histogram(bounds) => Some((Matcher::Full(metric.name.to_owned()), bounds)),
        MetricKind::Counter | MetricKind::Gauge => None,
    });
    histograms
        .try_fold(PrometheusBuilder::new(), |builder, (name, bounds)| builder.set_buckets_for_metric(name, bounds))
        // Fails only for an empty list of buckets.
        .unwrap_or_default()
        .build_recorder()
}

/// Gives the global recorder the help texts. Metrics without labels exist from now on, at zero, because a rate cannot
/// be taken of the first value of a series.
pub(super) fn describe(groups: &[&[Metric]]) {
    for metric in groups.iter().copied().flatten() {
        let Metric { name, unit, help, .. } = *metric;
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(name, unit, help),
            MetricKind::Gauge => metrics::describe_gauge!(name, unit, help),
            MetricKind::Histogram(_) => metrics::describe_histogram!(name, unit, help),
        }
        if metric.labels.is_empty() {
            begin(metric);
        }
    }
}

fn begin(metric: &Metric) {
    match metric.kind {
        MetricKind::Counter => metrics::counter!(metric.name).increment(0),
        // Asking for it registers it.
        MetricKind::Histogram(_) => drop(metrics::histogram!(metric.name)),
        // A gauge that was never read has no value, not zero.
        MetricKind::Gauge => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{DATABASE, PROCESS};

    #[test]
    fn each_histogram_has_the_buckets_it_is_declared_with() {
        let recorder = recorder(&[DATABASE]);
        metrics::with_local_recorder(&recorder, || metrics::histogram!("writ_database_acquire_seconds").record(0.011));
        let text = recorder.handle().render();
        for line in [
            r#"writ_database_acquire_seconds_bucket{le="0.0125"} 1"#,
            r#"writ_database_acquire_seconds_bucket{le="0.01"} 0"#,
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[test]
    fn what_has_no_labels_begins_at_zero_and_with_help() {
        let groups: &[&[Metric]] = &[PROCESS, DATABASE];
        let recorder = recorder(groups);
        metrics::with_local_recorder(&recorder, || describe(groups));
        let text = recorder.handle().render();
        for line in [
            "# HELP writ_database_acquire_seconds Time until a check",
            "# TYPE writ_database_acquire_seconds histogram",
            "writ_database_acquire_seconds_count 0",
            "process_cpu_seconds_total 0",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert!(!text.contains("writ_trace_spans_total"), "it has labels:\n{text}");
    }
}
