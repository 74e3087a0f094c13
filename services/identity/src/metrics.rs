//! Metrics of this service.

use writ_metrics::{Metric, MetricKind, Unit};

/// What this service exports besides the metrics of every process.
pub const METRICS: &[&[Metric]] =
    &[writ_service::metrics::HTTP, writ_service::metrics::DATABASE, writ_log::metrics::OUTBOX, OWN];

const OWN: &[Metric] = &[
    Metric {
        name: "writ_clock_ahead_refusals_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Changes refused because the organization's last change lies more than a minute in the future of the database's clock.",
    },
    Metric {
        name: "writ_administrator_access_organizations",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["access"],
        help: "Active organizations in which the last valid token of an administrator expires within a week (ending), or there is none (lost). Counted every 10 min, by one replica.",
    },
    Metric {
        name: "writ_expired_tokens_deleted_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Tokens deleted a week after they expired.",
    },
    Metric {
        name: "writ_erasures_waiting",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &[],
        help: "Users and teams of deleted organizations that are not erased yet; one replica erases them in the background.",
    },
    Metric {
        name: "writ_refused_changes_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["limit"],
        help: "Changes refused by a limit: too many of the organization wait for each other (organization), or too many records wait for Kafka (outbox).",
    },
];

/// Lets all counters exist, at zero: a rate cannot be taken of the first value of a series.
pub fn begin() {
    metrics::counter!("writ_clock_ahead_refusals_total").increment(0);
    metrics::counter!("writ_expired_tokens_deleted_total").increment(0);
    for limit in ["organization", "outbox"] {
        metrics::counter!("writ_refused_changes_total", "limit" => limit).increment(0);
    }
}
