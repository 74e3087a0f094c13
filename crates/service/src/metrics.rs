//! Metrics of the process, its HTTP server and its database pool.

use writ_metrics::{Metric, MetricKind, SECONDS, Unit};

/// Of every process.
pub const PROCESS: &[Metric] = &[
    Metric {
        name: "http_server_open_connections",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["listener"],
        help: "Open connections of a listener, public or operational.",
    },
    Metric {
        name: "http_server_refused_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["limit"],
        help: "Connections and requests refused by a limit: connections, descriptors (of the process), requests, organization (requests of one).",
    },
    Metric {
        name: "writ_build_info",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["service", "region", "version"],
        help: "Always 1. The labels name the build; the version includes the commit if WRIT_REVISION was set for the build.",
    },
    Metric {
        name: "writ_ready",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["check"],
        help: "Whether a check of /readyz passes: 1 or 0.",
    },
    Metric {
        name: "writ_trace_spans_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["outcome"],
        help: "Spans exported, not accepted by the collector (failed), or dropped because the queue was full.",
    },
    Metric {
        name: "process_start_time_seconds",
        kind: MetricKind::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        help: "Start time of the process, as Unix time.",
    },
    Metric {
        name: "process_resident_memory_bytes",
        kind: MetricKind::Gauge,
        unit: Unit::Bytes,
        labels: &[],
        help: "Memory of the process (Linux).",
    },
    Metric {
        name: "process_cpu_seconds_total",
        kind: MetricKind::Counter,
        unit: Unit::Seconds,
        labels: &[],
        help: "CPU time used, in whole seconds (Linux).",
    },
    Metric {
        name: "process_open_fds",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &[],
        help: "Open file descriptors (Linux).",
    },
];

/// Of services with routes of their own.
pub const HTTP: &[Metric] = &[Metric {
    name: "http_server_request_duration_seconds",
    kind: MetricKind::Histogram(SECONDS),
    unit: Unit::Seconds,
    labels: &["http_request_method", "http_route", "http_response_status_code", "error_type"],
    help: "Time from a request to its answer, by route template. error_type is empty for an answer, the status for a failure, behind for a read of a state that is not here yet, overloaded for a request over a limit.",
}];

/// Of services with a database.
pub const DATABASE: &[Metric] = &[
    Metric {
        name: "writ_database_connections",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["pool", "state"],
        help: "Connections of a pool, in_use or idle. Identity has a second one, writes.",
    },
    Metric {
        name: "writ_database_connections_max",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["pool"],
        help: "Maximum number of connections in a pool.",
    },
    Metric {
        name: "writ_database_acquire_seconds",
        kind: MetricKind::Histogram(SECONDS),
        unit: Unit::Seconds,
        labels: &[],
        help: "Time until a check, made every 2 s, got a connection that answered, or gave up.",
    },
];
