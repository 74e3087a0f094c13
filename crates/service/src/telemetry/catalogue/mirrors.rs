//! MirrorMaker, as mirror-watch sees it from the region it writes to.

use metrics::Unit;

use super::{Kind, MIRROR_WATCH, Metric};

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "writ_mirror_lag_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &["source"],
        services: &[MIRROR_WATCH],
        meaning: "Age of the newest MirrorMaker heartbeat of that source that arrived here.",
    },
    Metric {
        name: "writ_mirror_tasks",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["source", "state"],
        services: &[MIRROR_WATCH],
        meaning: "MirrorMaker's tasks and connectors by what they do: running, failed, paused, stopped, unassigned, \
                  restarting.",
    },
    Metric {
        name: "writ_mirror_restarts_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["reason"],
        services: &[MIRROR_WATCH],
        meaning: "Restarts that mirror-watch has requested, by reason.",
    },
];
