//! Metrics of services that keep policy chains.

use writ_metrics::{Metric, MetricKind, Unit};

/// Chains, and the records that belong to them.
pub const CHAINS: &[Metric] = &[
    Metric {
        name: "writ_chains",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["state"],
        help: "Chains that are live, stopped, parked or closed.",
    },
    Metric {
        name: "writ_chains_halted",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["halt"],
        help: "Chains that are halted now, by reason.",
    },
    Metric {
        name: "writ_chain_halts_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["halt", "origin"],
        help: "Records that halted their chain, or found it halted, by reason.",
    },
    Metric {
        name: "writ_parked_records",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &[],
        help: "Records parked for a build that understands them.",
    },
    Metric {
        name: "writ_records_kept_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["topic"],
        help: "Records parked on arrival.",
    },
    Metric {
        name: "writ_unattributable_records_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["topic"],
        help: "Records of an internal topic without an organization, which none of our services writes.",
    },
];
