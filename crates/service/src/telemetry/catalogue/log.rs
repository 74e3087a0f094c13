//! Writing to the log, reading from it, and what is wrong with records.

use metrics::Unit;

use super::{AUDIT, AUTHORIZATION, IDENTITY, Kind, Metric, PROJECTOR};

const READERS: &[&str] = &[AUTHORIZATION, PROJECTOR, AUDIT];
const WRITERS: &[&str] = &[IDENTITY, AUTHORIZATION];

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "writ_outbox_depth",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        services: WRITERS,
        meaning: "Records committed but not yet acknowledged by Kafka; counting ends at 10 000.",
    },
    Metric {
        name: "writ_outbox_age_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        services: WRITERS,
        meaning: "Age of the oldest of them.",
    },
    Metric {
        name: "writ_consumer_lag_records",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["reader", "topic", "partition"],
        services: READERS,
        meaning: "Records between what is committed here and the end of the log, looked at every 5 s.",
    },
    Metric {
        name: "writ_consumer_waiting",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["reader", "on"],
        services: READERS,
        meaning: "Whether a reader of the log waits for kafka or its database: 1 or 0. While it waits, its lag is not \
                  looked at.",
    },
    Metric {
        name: "writ_dead_letters_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["topic", "reason"],
        services: &[AUTHORIZATION],
        meaning: "Records of other systems that were refused and put on the dead-letter topic, by reason.",
    },
    Metric {
        name: "writ_duplicate_entity_events_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        services: &[AUTHORIZATION],
        meaning: "Events that a producer sent again and that were skipped.",
    },
    Metric {
        name: "writ_unattributable_records_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["topic"],
        services: &[AUTHORIZATION, PROJECTOR],
        meaning: "Records of an internal topic without an organization, which nobody but a stranger writes.",
    },
    Metric {
        name: "writ_audit_entries_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["origin", "topic"],
        services: &[AUDIT],
        meaning: "Entries appended to the audit record.",
    },
    Metric {
        name: "writ_audit_unreadable_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["origin", "topic"],
        services: &[AUDIT],
        meaning: "Of these, entries of records that could not be read; they are kept as they came.",
    },
];
