//! `writ bench compare`: two clusters that differ in one thing, measured in turn, so that both see the same machine.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use writ_local::{Cluster, Options, Progress, UpOptions};

use super::evaluation::EvaluationBench;
use super::load::{Load, Rhythm};
use super::report::Quantiles;
use crate::table::table;

/// What to compare, and how often.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Home of the other cluster, which runs on other ports (`--port-offset`)
    #[arg(value_name = "HOME")]
    other: PathBuf,
    /// Number of rounds: a second of role assignments and a second of queries each
    #[arg(long, default_value_t = 40)]
    rounds: u32,
    /// Role assignments per second
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A cluster under measurement.
struct Side {
    changes: Arc<Load>,
    questions: Arc<Load>,
    propagation_ms: Vec<f64>,
    per_second: Vec<f64>,
}

impl Compare {
    /// Measures both clusters and shows the ratio of their results.
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        ensure!(self.rounds > 0 && self.rate > 0, "rounds and rate must be above zero");
        let other = Cluster::open(Options { home: Some(self.other.clone()), ..Options::default() })?;
        let mut sides = [self.side(cluster).await?, self.side(&other).await?];
        let step = Progress::new().step("compare");
        for round in 0..=self.rounds {
            step.note(format!("round {round} of {}", self.rounds));
            let first = usize::from(round % 2 == 1);
            for side in [first, 1 - first] {
                self.measure(&mut sides[side], round).await?;
            }
        }
        step.done(&format!("{} rounds", self.rounds));
        self.show(&sides);
        Ok(0)
    }

    async fn side(&self, cluster: &Cluster) -> Result<Side> {
        cluster.up(UpOptions::default(), &Progress::new()).await?;
        let [from, to, ..] = cluster.regions.as_slice() else { anyhow::bail!("propagation needs two regions") };
        let changes = Load::prepare(cluster, from, to, self.rate * (self.rounds + 1)).await?;
        let questions = EvaluationBench::short().prepare(cluster).await?;
        Ok(Side { changes, questions, propagation_ms: Vec::new(), per_second: Vec::new() })
    }

    /// Round 0 is a warm-up.
    async fn measure(&self, side: &mut Side, round: u32) -> Result<()> {
        let rhythm = Rhythm { first: round * self.rate, count: self.rate, rate: self.rate };
        let times = side.changes.run(rhythm).await?;
        let answers = EvaluationBench::short().ask(&side.questions).await?;
        if round > 0 {
            side.propagation_ms.push(Quantiles::from(times).p50.context("nothing was measured")?);
            side.per_second.push(answers.len() as f64);
        }
        Ok(())
    }

    fn show(&self, [this, other]: &[Side; 2]) {
        let measures = [
            ("propagation p50, ms", &this.propagation_ms, &other.propagation_ms),
            ("decisions a second", &this.per_second, &other.per_second),
        ];
        if self.json {
            let of = |(name, this, other): &(&str, &Vec<f64>, &Vec<f64>)| json!({"measure": name, "this": this, "other": other, "ratio": median(&ratios(this, other))});
            println!("{:#}", json!(measures.iter().map(of).collect::<Vec<_>>()));
            return;
        }
        let mut table = table(["median (quartiles)", "this", "other", "other : this, round by round"]);
        for (name, this, other) in measures {
            let ratio = with_quartiles(&ratios(this, other), 2);
            table.add_row([name.to_owned(), with_quartiles(this, 1), with_quartiles(other, 1), ratio]);
        }
        println!("{table}");
    }
}

/// By round, because whatever slows the machine for some seconds affects both sides.
fn ratios(this: &[f64], other: &[f64]) -> Vec<f64> {
    this.iter().zip(other).map(|(this, other)| other / this).collect()
}

fn with_quartiles(values: &[f64], digits: usize) -> String {
    let [low, middle, high] = [0.25, 0.5, 0.75].map(|share| quantile(values, share));
    format!("{middle:.digits$} ({low:.digits$}–{high:.digits$})")
}

fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert!(median(&[]).is_nan());
        assert_eq!(with_quartiles(&[3.0, 1.0, 2.0, 4.0], 1), "3.0 (2.0–4.0)");
    }

    #[test]
    fn rounds_are_compared_one_by_one() {
        assert_eq!(ratios(&[1.0, 10.0], &[2.0, 20.0]), [2.0, 2.0]);
    }
}
