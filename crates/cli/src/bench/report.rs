//! Reports of benchmarks, as text and JSON.

use std::time::Duration;

use serde::Serialize;

use super::histogram::Histogram;
use crate::table::{or_dash, table};

/// The result of a run. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) from: String,
    pub(super) to: String,
    /// Assignments per second.
    pub(super) rate: u32,
    pub(super) count: u32,
    /// From the answer to the assignment to the first "yes", measured by the client.
    pub(super) client: Quantiles,
    /// From the services' histograms.
    #[serde(serialize_with = "stages_as_quantiles")]
    pub(super) stages: Vec<StageReport>,
    /// Median time of an fsync.
    pub(super) fsync_ms: Option<f64>,
    /// Share of processor time that was idle, 0 to 1.
    pub(super) idle_cpu: Option<f64>,
}

/// One stage, measured by one service.
#[derive(Debug)]
pub(super) struct StageReport {
    pub(super) name: &'static str,
    /// Time budget of the stage.
    pub(super) share_ms: Option<f64>,
    pub(super) histogram: Histogram,
}

/// Quantiles in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Quantiles {
    pub(super) count: u64,
    pub(super) p50: Option<f64>,
    pub(super) p90: Option<f64>,
    pub(super) p99: Option<f64>,
}

#[derive(Serialize)]
struct StageQuantiles {
    stage: &'static str,
    share_ms: Option<f64>,
    #[serde(flatten)]
    quantiles: Quantiles,
}

impl From<Vec<Duration>> for Quantiles {
    fn from(mut times: Vec<Duration>) -> Self {
        times.sort();
        let rank = |share: f64| ((times.len() as f64 * share).ceil() as usize).saturating_sub(1);
        let at = |share| times.get(rank(share)).map(|time| milliseconds(time.as_secs_f64()));
        Self { count: times.len() as u64, p50: at(0.5), p90: at(0.9), p99: at(0.99) }
    }
}

impl StageReport {
    /// The difference to an earlier scrape.
    pub(super) fn since(self, before: &Self) -> Self {
        Self { histogram: self.histogram.since(&before.histogram), ..self }
    }

    fn quantiles(&self) -> Quantiles {
        let at = |share| self.histogram.quantile(share).map(milliseconds);
        Quantiles { count: self.histogram.count() as u64, p50: at(0.5), p90: at(0.9), p99: at(0.99) }
    }
}

impl Report {
    pub(super) fn show(&self) {
        println!("\n{} → {}, {} assignments at {}/s; milliseconds", self.from, self.to, self.count, self.rate);
        let mut table = table(["", "p50", "p90", "p99", "share", "count"]);
        for stage in &self.stages {
            let name = if stage.name == "total" { "commit → applied" } else { stage.name };
            table.add_row(row(name, stage.quantiles(), stage.share_ms));
        }
        table.add_row(row("answer → first yes, as the client sees it", self.client, None));
        println!("{table}");
        println!("fdatasync (median): {} ms", number(self.fsync_ms));
        println!("idle CPU: {} %", number(self.idle_cpu.map(|share| share * 100.0)));
    }
}

/// Rounded to microseconds; below that is noise.
fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1_000_000.0).round() / 1_000.0
}

fn row(name: &str, quantiles: Quantiles, share: Option<f64>) -> [String; 6] {
    let Quantiles { count, p50, p90, p99 } = quantiles;
    [name.to_owned(), number(p50), number(p90), number(p99), or_dash(share), count.to_string()]
}

pub(super) fn number(value: Option<f64>) -> String {
    or_dash(value.map(|value| format!("{value:.1}")))
}

fn stages_as_quantiles<S: serde::Serializer>(stages: &[StageReport], serializer: S) -> Result<S::Ok, S::Error> {
    let all = stages.iter().map(|stage| StageQuantiles {
        stage: stage.name,
        share_ms: stage.share_ms,
        quantiles: stage.quantiles(),
    });
    serializer.collect_seq(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let quantiles = Quantiles::from((1..=100).rev().map(Duration::from_millis).collect::<Vec<_>>());
        assert_eq!((quantiles.p50, quantiles.p90, quantiles.p99), (Some(50.0), Some(90.0), Some(99.0)));
        assert_eq!(Quantiles::from(Vec::new()).p50, None);
    }
}
