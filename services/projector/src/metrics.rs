//! Metrics of changes, chains and decisions.

use writ_contract::Region;
use writ_kafka::topics;
use writ_metrics::{Metric, MetricKind, SECONDS, Unit};
use writ_policy::{Reason, Unauthenticated};

/// What this service exports besides the metrics of every process.
pub const METRICS: &[&[Metric]] = &[
    writ_service::metrics::HTTP,
    writ_service::metrics::DATABASE,
    &[writ_log::metrics::PROPAGATION],
    writ_log::metrics::CONSUMER,
    writ_chains::metrics::CHAINS,
    OWN,
];

/// Bucket bounds in seconds, for answers from memory.
const IN_MEMORY: &[f64] = &[
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005,
    0.01, 0.1,
];

const OWN: &[Metric] = &[
    Metric {
        name: "writ_applied_timestamp_seconds",
        kind: MetricKind::Gauge,
        unit: Unit::Seconds,
        labels: &["origin"],
        help: "Commit time at home of the last applied change of that origin, as Unix time.",
    },
    Metric {
        name: "writ_staged_change_sets",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &[],
        help: "Change sets that wait for an earlier one.",
    },
    Metric {
        name: "writ_unstaged_change_sets_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["origin"],
        help: "Change sets of stopped chains that were not kept, because the chain waits for a snapshot or too much of it or of its region is staged.",
    },
    Metric {
        name: "writ_refused_chains_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["origin"],
        help: "Change sets refused because they would begin a chain and their region has as many as it may.",
    },
    Metric {
        name: "writ_duplicate_change_sets_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["origin"],
        help: "Change sets that arrived again and were skipped.",
    },
    Metric {
        name: "writ_foreign_change_sets_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["origin"],
        help: "Identity change sets rejected because they came from a region that is not the organization's home.",
    },
    Metric {
        name: "writ_decisions_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["decision", "reason"],
        help: "Decisions made, allow or deny, by reason.",
    },
    Metric {
        name: "writ_decision_duration_seconds",
        kind: MetricKind::Histogram(IN_MEMORY),
        unit: Unit::Seconds,
        labels: &[],
        help: "Time one decision takes in memory, without the wait for freshness.",
    },
    Metric {
        name: "writ_decisions_dropped_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Decisions that were answered but did not reach the log, so that audit lacks them.",
    },
    Metric {
        name: "writ_freshness_wait_seconds",
        kind: MetricKind::Histogram(SECONDS),
        unit: Unit::Seconds,
        labels: &["outcome"],
        help: "Time reads waited for the state they asked for, reached or still behind at the time-out.",
    },
    Metric {
        name: "writ_unauthenticated_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["reason"],
        help: "Well-formed bearer tokens that were rejected, by reason.",
    },
];

/// Creates all counters and histograms, at zero: a rate cannot be taken of the first value of a series.
pub fn begin(local: Region, regions: &[Region]) {
    regions.iter().for_each(|origin| changes(local, *origin));
    decisions();
}

/// Counters and histograms of the changes from one region.
fn changes(local: Region, origin: Region) {
    let stages = ["mirror", "projector", "total"].into_iter().filter(|stage| *stage != "mirror" || origin != local);
    for stage in stages {
        let labels = [("origin", origin.to_string()), ("stage", stage.to_owned())];
        drop(metrics::histogram!("writ_propagation_seconds", &labels));
    }
    let counters = [
        "writ_duplicate_change_sets_total",
        "writ_foreign_change_sets_total",
        "writ_unstaged_change_sets_total",
        "writ_refused_chains_total",
    ];
    for name in counters {
        metrics::counter!(name, "origin" => origin.to_string()).increment(0);
    }
    let topic = match origin == local {
        true => topics::POLICY_CHANGES.to_owned(),
        false => topics::mirrored(topics::POLICY_CHANGES, origin.as_str()),
    };
    writ_chains::metrics::begin(origin, &[&topic]);
}

fn decisions() {
    for reason in Reason::ALL {
        let decision = if reason == Reason::Granted { "allow" } else { "deny" };
        metrics::counter!("writ_decisions_total", "decision" => decision, "reason" => reason.as_str()).increment(0);
    }
    for reason in Unauthenticated::ALL.map(Unauthenticated::as_str) {
        metrics::counter!("writ_unauthenticated_total", "reason" => reason).increment(0);
    }
    for outcome in ["reached", "behind"] {
        drop(metrics::histogram!("writ_freshness_wait_seconds", "outcome" => outcome));
    }
}
