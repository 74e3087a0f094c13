//! Metrics of the audit record.

use writ_contract::Region;
use writ_metrics::{Metric, MetricKind, Unit};

use crate::log::subscriptions;

/// What this service exports besides the metrics of every process.
pub const METRICS: &[&[Metric]] = &[writ_service::metrics::DATABASE, writ_log::metrics::CONSUMER, OWN];

const OWN: &[Metric] = &[
    Metric {
        name: "writ_audit_entries_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["origin", "topic"],
        help: "Entries appended to the audit record.",
    },
    Metric {
        name: "writ_audit_unreadable_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["origin", "topic"],
        help: "Entries for records that could not be read; they are kept as they arrived.",
    },
];

/// Creates the counters of all topics, at zero: a rate cannot be taken of the first value of a series.
pub fn begin(local: Region, regions: &[Region]) {
    for subscription in subscriptions().into_iter().filter(|subscription| !subscription.name.contains('*')) {
        let origins = regions.iter().filter(|origin| **origin == local || subscription.mirrored);
        for origin in origins {
            let labels = [("origin", origin.to_string()), ("topic", subscription.name.clone())];
            metrics::counter!("writ_audit_entries_total", &labels).increment(0);
            metrics::counter!("writ_audit_unreadable_total", &labels).increment(0);
        }
    }
}
