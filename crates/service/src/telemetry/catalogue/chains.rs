//! How changes travel, and whether chains move.

use metrics::Unit;

use super::{AUTHORIZATION, IDENTITY, Kind, Metric, PROJECTOR};
use crate::telemetry::buckets::SECONDS;

const WITH_CHAINS: &[&str] = &[AUTHORIZATION, PROJECTOR];

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "writ_propagation_seconds",
        kind: Kind::Histogram(SECONDS),
        unit: Unit::Seconds,
        labels: &["origin", "stage"],
        services: &[IDENTITY, AUTHORIZATION, PROJECTOR],
        meaning: "Time a change takes, by origin and stage: outbox, authorization, mirror, projector, and total from \
                  the commit at home until it is in force here.",
    },
    Metric {
        name: "writ_applied_timestamp_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &["origin"],
        services: &[PROJECTOR],
        meaning: "When the change of that origin that was applied last was committed at home, as Unix time.",
    },
    Metric {
        name: "writ_chains",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["state"],
        services: WITH_CHAINS,
        meaning: "Chains that are live, stopped, parked or closed.",
    },
    Metric {
        name: "writ_chains_halted",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["halt"],
        services: WITH_CHAINS,
        meaning: "Chains that stand still now, by reason.",
    },
    Metric {
        name: "writ_chain_halts_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["halt", "origin"],
        services: WITH_CHAINS,
        meaning: "Records that found or left their chain standing still, by reason.",
    },
    Metric {
        name: "writ_staged_change_sets",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        services: &[PROJECTOR],
        meaning: "Change sets that wait for one below them.",
    },
    Metric {
        name: "writ_parked_records",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        services: WITH_CHAINS,
        meaning: "Records kept for a build that understands them.",
    },
    Metric {
        name: "writ_records_kept_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["topic"],
        services: WITH_CHAINS,
        meaning: "Records that were parked when they came.",
    },
    Metric {
        name: "writ_duplicate_change_sets_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["origin"],
        services: &[PROJECTOR],
        meaning: "Change sets that came again and were skipped.",
    },
    Metric {
        name: "writ_foreign_change_sets_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["origin"],
        services: &[PROJECTOR],
        meaning: "Identity change sets refused because they came from a region that is not the organization's home.",
    },
];
