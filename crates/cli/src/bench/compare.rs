//! `writ bench compare`: two clusters that differ in one thing, measured in turn, so that both see the same machine.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use writ_local::{Cluster, Options, Progress, UpOptions};

use super::evaluation::Evaluation;
use super::load::{Load, Rhythm};
use super::report::Quantiles;
use crate::table::table;

/// What is compared, and how often.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Home of the other cluster, which runs beside this one (`--port-offset`)
    #[arg(value_name = "HOME")]
    other: PathBuf,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Role assignments in each round
    #[arg(long, default_value_t = 100)]
    count: u32,
    /// Role assignments per second
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// Seconds of questions in each round
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A cluster under measurement.
struct Side {
    changes: Arc<Load>,
    questions: Arc<Load>,
    next: u32,
    propagation_ms: Vec<f64>,
    per_second: Vec<f64>,
}

impl Compare {
    /// Measures, and shows the other cluster's medians in proportion to this one's.
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        ensure!(self.rounds > 0 && self.count > 0 && self.rate > 0 && self.seconds > 0, "all must be above zero");
        let other = Cluster::open(Options { home: Some(self.other.clone()), ..Options::default() })?;
        let mut sides = [self.side(cluster).await?, self.side(&other).await?];
        for round in 0..=self.rounds {
            eprintln!("Round {round} of {} …", self.rounds);
            for side in &mut sides {
                self.measure(side).await?;
            }
            if round == 0 {
                // It warmed everything up.
                sides.iter_mut().for_each(Side::forget);
            }
        }
        self.show(&sides);
        Ok(0)
    }

    async fn side(&self, cluster: &Cluster) -> Result<Side> {
        cluster.up(UpOptions::default(), &Progress::new()).await?;
        let [from, to, ..] = cluster.regions.as_slice() else { anyhow::bail!("propagation needs two regions") };
        let changes = Load::prepare(cluster, from, to, self.count * (self.rounds + 1)).await?;
        let questions = Evaluation::short(self.seconds).prepare(cluster).await?;
        Ok(Side { changes, questions, next: 0, propagation_ms: Vec::new(), per_second: Vec::new() })
    }

    async fn measure(&self, side: &mut Side) -> Result<()> {
        let times = side.changes.run(Rhythm { first: side.next, count: self.count, rate: self.rate }).await?;
        side.next += self.count;
        side.propagation_ms.push(Quantiles::from(times).p50.context("nothing was measured")?);
        side.per_second.push(Evaluation::short(self.seconds).measure(&side.questions).await?.per_second);
        Ok(())
    }

    fn show(&self, [this, other]: &[Side; 2]) {
        let measures = [
            ("propagation p50, ms", &this.propagation_ms, &other.propagation_ms),
            ("decisions a second", &this.per_second, &other.per_second),
        ];
        if self.json {
            let of = |(name, this, other): &(&str, &Vec<f64>, &Vec<f64>)| json!({"measure": name, "this": this, "other": other, "ratio": median(other) / median(this)});
            println!("{:#}", json!(measures.iter().map(of).collect::<Vec<_>>()));
            return;
        }
        let mut table = table(["median of rounds", "this", "other", "other : this"]);
        for (name, this, other) in measures {
            let ratio = median(other) / median(this);
            table.add_row([name.to_owned(), with_range(this), with_range(other), format!("{ratio:.2}")]);
        }
        println!("{table}");
    }
}

impl Side {
    fn forget(&mut self) {
        self.propagation_ms.clear();
        self.per_second.clear();
    }
}

fn with_range(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{:.1} ({least:.1}–{most:.1})", median(values))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_value_that_was_measured() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert!(median(&[]).is_nan());
        assert_eq!(with_range(&[3.0, 1.0, 2.0]), "2.0 (1.0–3.0)");
    }
}
