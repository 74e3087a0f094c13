//! Metrics of events and refused records.

use writ_contract::{ProducerName, Region};
use writ_kafka::topics;
use writ_metrics::{Metric, MetricKind, Unit};

use crate::entity_events::UNPROCESSABLE;
use crate::inbound::{IGNORABLE, IGNORED, Unacceptable};
use crate::refusal::EventRefusal;

/// What this service exports besides the metrics of every process.
pub const METRICS: &[&[Metric]] = &[
    writ_service::metrics::DATABASE,
    writ_log::metrics::OUTBOX,
    writ_log::metrics::CONSUMER,
    writ_chains::metrics::CHAINS,
    OWN,
];

const OWN: &[Metric] = &[
    Metric {
        name: "writ_dead_letters_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["topic", "reason"],
        help: "Records of other systems that were rejected to the dead-letter topic, by reason.",
    },
    Metric {
        name: "writ_duplicate_entity_events_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Events that a producer sent again and that were skipped.",
    },
    Metric {
        name: "writ_ignored_fields_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["field"],
        help: "Informative fields of entity events (ce_time, occurred_at) that were not understood; the time when the broker appended the record took their place.",
    },
    Metric {
        name: "writ_ignored_directory_entries_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Records of the directory of organizations that are no entry, or not one by the organization's home.",
    },
    Metric {
        name: "writ_foreign_identity_events_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["origin"],
        help: "Identity events rejected because the organization's home is another region.",
    },
];

/// Lets all counters exist, at zero: a rate cannot be taken of the first value of a series.
pub fn begin(region: Region) {
    writ_chains::metrics::begin(region, &[topics::IDENTITY_EVENTS]);
    metrics::counter!("writ_duplicate_entity_events_total").increment(0);
    metrics::counter!("writ_ignored_directory_entries_total").increment(0);
    for field in IGNORABLE {
        metrics::counter!(IGNORED, "field" => field).increment(0);
    }
    metrics::counter!("writ_foreign_identity_events_total", "origin" => region.to_string()).increment(0);
}

/// The same of the counters of a producer.
pub fn begin_producer(producer: &ProducerName) {
    let topic = topics::entity_events(producer);
    metrics::counter!("writ_records_kept_total", "topic" => topic.clone()).increment(0);
    for reason in Unacceptable::CODES.into_iter().chain(EventRefusal::names()).chain([UNPROCESSABLE]) {
        metrics::counter!("writ_dead_letters_total", "topic" => topic.clone(), "reason" => reason).increment(0);
    }
}
