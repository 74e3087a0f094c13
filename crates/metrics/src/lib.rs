//! How a crate declares the metrics it measures.
//!
//! Each metric is declared once, in the `metrics.rs` of the crate that measures it. A service lists the groups it
//! exports. From those come the help texts on `/metrics` and the buckets of histograms, and a test compares the table
//! in `docs/operations.md` with them.

pub use metrics::Unit;

/// Bucket bounds in seconds. Finest between 1 and 100 ms, where requests and propagation should be.
pub const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04,
    0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// The declaration of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Name in `/metrics`. A change of meaning gets a new name.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
    /// Unit of the values.
    pub unit: Unit,
    /// Label names. Labels have few values: never an organization, a user or a path.
    pub labels: &'static [&'static str],
    /// Help text, one or two sentences.
    pub help: &'static str,
}

/// Kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// Only rises while the process lives.
    Counter,
    /// A current value.
    Gauge,
    /// A distribution, in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

impl MetricKind {
    /// Name in `/metrics` and in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}
