//! Metrics of the outbox and of readers of the log.

use writ_metrics::{Metric, MetricKind, SECONDS, Unit};

/// How long a change takes. Every stage on its way measures itself under this name.
pub const PROPAGATION: Metric = Metric {
    name: "writ_propagation_seconds",
    kind: MetricKind::Histogram(SECONDS),
    unit: Unit::Seconds,
    labels: &["origin", "stage"],
    help: "Time a change takes, by origin and stage: outbox, authorization, mirror, projector, and total from \
              the commit at home until it is in force here.",
};

/// Of services that publish an outbox.
pub const OUTBOX: &[Metric] = &[
    PROPAGATION,
    Metric {
        name: "writ_outbox_depth",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &[],
        help: "Records committed but not yet acknowledged by Kafka; counted up to 10 000.",
    },
    Metric {
        name: "writ_outbox_age_seconds",
        kind: MetricKind::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        help: "Age of the oldest record in the outbox.",
    },
];

/// Of every service with a background loop.
pub const LOOPS: &[Metric] = &[Metric {
    name: "writ_loop_last_turn_timestamp_seconds",
    kind: MetricKind::Gauge,
    unit: Unit::Seconds,
    labels: &["loop"],
    help: "When a background loop last turned, as Unix time. Each turns every few seconds, even if it has nothing to do; NaN \
           once it has ended.",
}];

/// Of services that read the log.
pub const CONSUMER: &[Metric] = &[
    Metric {
        name: "writ_consumer_lag_records",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["reader", "topic", "partition"],
        help: "Records between what is committed here and the end of the log, updated every 5 s.",
    },
    Metric {
        name: "writ_consumer_waiting",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["reader", "on"],
        help: "Whether a reader of the log waits for kafka or its database: 1 or 0. While it waits, its lag is not \
              updated.",
    },
    Metric {
        name: "writ_records_set_aside_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["reader", "reason"],
        help: "Records that were parked or dead-lettered because processing them panicked (panic), or because PostgreSQL \
               refused their effects (refused).",
    },
    Metric {
        name: "writ_consumer_restarts_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["reader"],
        help: "Times a reader of the log started over with a new client, because a topic was recreated or its client \
               stalled.",
    },
];
