//! Metrics of this service.

use writ_metrics::Metric;

/// What this service exports besides the metrics of every process.
pub const METRICS: &[&[Metric]] =
    &[writ_service::metrics::HTTP, writ_service::metrics::DATABASE, writ_log::metrics::OUTBOX];
