//! What the read API decides.

use metrics::Unit;

use super::{Kind, Metric, PROJECTOR};
use crate::telemetry::buckets::{IN_MEMORY, SECONDS};

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "writ_decisions_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["decision", "reason"],
        services: &[PROJECTOR],
        meaning: "Decisions made, allow or deny, by reason.",
    },
    Metric {
        name: "writ_decision_duration_seconds",
        kind: Kind::Histogram(IN_MEMORY),
        unit: Unit::Seconds,
        labels: &[],
        services: &[PROJECTOR],
        meaning: "Time one decision takes in memory, waiting for freshness not included.",
    },
    Metric {
        name: "writ_decisions_dropped_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        services: &[PROJECTOR],
        meaning: "Decisions that were answered but did not reach the log, so that audit lacks them.",
    },
    Metric {
        name: "writ_freshness_wait_seconds",
        kind: Kind::Histogram(SECONDS),
        unit: Unit::Seconds,
        labels: &["outcome"],
        services: &[PROJECTOR],
        meaning: "Time reads waited for the state they asked for: reached, or still behind when their time was over.",
    },
    Metric {
        name: "writ_unauthenticated_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["reason"],
        services: &[PROJECTOR],
        meaning: "Bearer tokens of the right form that were refused, by reason.",
    },
];
