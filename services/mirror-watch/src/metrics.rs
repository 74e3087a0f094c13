//! Metrics of MirrorMaker, as seen from the region it writes to.

use writ_metrics::{Metric, MetricKind, Unit};

/// What this service exports besides the metrics of every process.
pub(crate) const METRICS: &[&[Metric]] = &[OWN];

const OWN: &[Metric] = &[
    Metric {
        name: "writ_mirror_silence_seconds",
        kind: MetricKind::Gauge,
        unit: Unit::Seconds,
        labels: &["source"],
        help: "Time since a MirrorMaker heartbeat of that source last arrived, by the clock here.",
    },
    Metric {
        name: "writ_mirror_lag_seconds",
        kind: MetricKind::Gauge,
        unit: Unit::Seconds,
        labels: &["source"],
        help: "Age of the newest MirrorMaker heartbeat of that source that arrived here. The difference of the clocks is a part of it.",
    },
    Metric {
        name: "writ_mirror_tasks",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["source", "state"],
        help: "MirrorMaker's tasks and connectors by what they do: running, failed, paused, stopped, unassigned, \
                  restarting.",
    },
    Metric {
        name: "writ_mirror_restarts_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["reason"],
        help: "Restarts of MirrorMaker that the watcher requested, by reason.",
    },
];
