//! What every process has: build, readiness, requests, database, memory.

use metrics::Unit;

use super::{AUDIT, AUTHORIZATION, IDENTITY, Kind, Metric, PROJECTOR, SERVICES};
use crate::telemetry::buckets::SECONDS;

const WITH_DATABASE: &[&str] = &[IDENTITY, AUTHORIZATION, PROJECTOR, AUDIT];

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "writ_build_info",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["service", "region", "version"],
        services: SERVICES,
        meaning: "Always 1; the labels say which build runs; the version with its commit, if WRIT_REVISION was set for the build.",
    },
    Metric {
        name: "writ_ready",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["check"],
        services: SERVICES,
        meaning: "Whether a check of /readyz is in order: 1 or 0.",
    },
    Metric {
        name: "http_server_request_duration_seconds",
        kind: Kind::Histogram(SECONDS),
        unit: Unit::Seconds,
        labels: &["http_request_method", "http_route", "http_response_status_code"],
        services: &[IDENTITY, PROJECTOR],
        meaning: "Time from a request to its answer, by route template.",
    },
    Metric {
        name: "writ_database_connections",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["state"],
        services: WITH_DATABASE,
        meaning: "Connections of the pool that are in_use or idle.",
    },
    Metric {
        name: "writ_database_connections_max",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        services: WITH_DATABASE,
        meaning: "Most connections the pool may have.",
    },
    Metric {
        name: "writ_database_acquire_seconds",
        kind: Kind::Histogram(SECONDS),
        unit: Unit::Seconds,
        labels: &[],
        services: WITH_DATABASE,
        meaning: "Time until a check, made every 2 s, had a connection that answered or gave up.",
    },
    Metric {
        name: "writ_trace_spans_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["outcome"],
        services: SERVICES,
        meaning: "Spans that were exported, not taken by the collector (failed), or dropped for lack of room.",
    },
    Metric {
        name: "process_start_time_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        services: SERVICES,
        meaning: "When the process started, as Unix time.",
    },
    Metric {
        name: "process_resident_memory_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &[],
        services: SERVICES,
        meaning: "Memory of the process (Linux).",
    },
    Metric {
        name: "process_cpu_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &[],
        services: SERVICES,
        meaning: "Processor time used, in whole seconds (Linux).",
    },
    Metric {
        name: "process_open_fds",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        services: SERVICES,
        meaning: "Open file descriptors (Linux).",
    },
];
