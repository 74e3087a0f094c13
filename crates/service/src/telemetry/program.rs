//! What telemetry has to know of the program that runs.

use writ_metrics::Metric;

/// Version of this build: `0.1.0`, or `0.1.0+<commit>` if `WRIT_REVISION` was set when it was built.
const VERSION: &str = env!("WRIT_VERSION");

/// The program that runs, as traces, metrics and `/status` name it.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Name of the program, such as `writ-identity`.
    pub name: &'static str,
    /// Version of the build.
    pub version: &'static str,
    /// The metrics it exports, in groups, besides those that every process has.
    pub metrics: &'static [&'static [Metric]],
    /// Routes that begin with this are called so often that their traces have a sampling ratio of their own.
    pub high_volume_routes: Option<&'static str>,
}

impl Program {
    /// The program of this build that is called `name` and exports `metrics`.
    pub const fn new(name: &'static str, metrics: &'static [&'static [Metric]]) -> Self {
        Self { name, version: VERSION, metrics, high_volume_routes: None }
    }

    /// Name of the service, such as `identity`.
    pub fn service(&self) -> &'static str {
        self.name.trim_start_matches("writ-")
    }

    /// All metrics that `/metrics` of the program may show.
    pub fn all_metrics(&self) -> Vec<&'static [Metric]> {
        [&[crate::metrics::PROCESS, writ_log::metrics::LOOPS], self.metrics].concat()
    }
}
