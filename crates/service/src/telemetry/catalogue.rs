//! Every metric there is: its name, kind, labels and meaning. `/metrics` takes its help from here, histograms their
//! buckets, and a test compares `docs/operations.md` with it.

mod chains;
mod decisions;
mod log;
mod mirrors;
mod process;

use metrics::Unit;

/// Names of the services, as they are called in the label `service`.
pub const SERVICES: &[&str] = &[IDENTITY, AUTHORIZATION, PROJECTOR, AUDIT, MIRROR_WATCH];

const IDENTITY: &str = "identity";
const AUTHORIZATION: &str = "authorization";
const PROJECTOR: &str = "projector";
const AUDIT: &str = "audit";
const MIRROR_WATCH: &str = "mirror-watch";

/// A metric that services export.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name, which never changes its meaning.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// What is counted or measured.
    pub unit: Unit,
    /// Names of its labels. Their values are few: never an organization, a user or a path.
    pub labels: &'static [&'static str],
    /// Who exports it.
    pub services: &'static [&'static str],
    /// One sentence.
    pub meaning: &'static str,
}

/// Kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only rises while the process lives.
    Counter,
    /// As it is now.
    Gauge,
    /// Counts of values, in buckets up to these bounds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// Its name in `/metrics` and in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// All metrics, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    [process::METRICS, chains::METRICS, decisions::METRICS, log::METRICS, mirrors::METRICS].into_iter().flatten()
}

/// Tells the recorder what the metrics of a service mean. Those without labels exist from now on, at zero: a rate
/// cannot be taken of the first value of a series.
pub(super) fn describe(service: &str) {
    for metric in all().filter(|metric| metric.services.contains(&service)) {
        metric.describe();
        if metric.labels.is_empty() {
            metric.begin();
        }
    }
}

impl Metric {
    fn describe(&self) {
        match self.kind {
            Kind::Counter => metrics::describe_counter!(self.name, self.unit, self.meaning),
            Kind::Gauge => metrics::describe_gauge!(self.name, self.unit, self.meaning),
            Kind::Histogram(_) => metrics::describe_histogram!(self.name, self.unit, self.meaning),
        }
    }

    fn begin(&self) {
        match self.kind {
            Kind::Counter => metrics::counter!(self.name).increment(0),
            // Asking for it registers it.
            Kind::Histogram(_) => drop(metrics::histogram!(self.name)),
            // A gauge that was never read has no value, not zero.
            Kind::Gauge => {}
        }
    }
}

#[cfg(test)]
mod tests;
