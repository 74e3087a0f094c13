//! `writ demo`: starts the regions and tells the story.

use std::time::Instant;

use anyhow::Result;
use clap::Args;
use console::style;
use writ_local::{Cluster, Progress, UpOptions};

use crate::story::{Stage, Step};
use crate::up;

/// Options of the demo.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Install missing packages (Debian and Ubuntu; root always does)
    #[arg(long)]
    install: bool,
}

impl Demo {
    /// Returns 1 if any answer is wrong. The regions keep running.
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        let began = Instant::now();
        cluster.up(UpOptions { install: self.install, ..UpOptions::default() }, &Progress::new()).await?;
        println!("{}", style(format!("\nAll parts are ready after {}.\n", writ_local::seconds(began.elapsed()))).dim());
        let (mut wrong, mut trace) = (0, None);
        let stage = Stage::of(cluster)?;
        let told = stage.tell(|step| {
            show(step);
            wrong += usize::from(!step.right);
            trace = step.trace.clone().or(trace.take());
        });
        told.await?;
        up::show(cluster);
        if let Some((page, trace)) = cluster.jaeger_url().zip(trace) {
            println!(
                "\nThe path of one change, \"the user joins the team\", through all regions:\n  {page}/trace/{trace}"
            );
        }
        println!("{}", verdict(wrong));
        Ok(if wrong == 0 { 0 } else { 1 })
    }
}

fn show(step: &Step) {
    let mark = if step.right { style("✓").green() } else { style("✗").red() };
    let took = format!("{:>8.1} ms", step.took.as_secs_f64() * 1_000.0);
    let outcome = if step.right { style(&step.outcome).green() } else { style(&step.outcome).red() };
    println!("{mark} {}  {:<88} {outcome}", style(took).dim(), step.title);
}

fn verdict(wrong: usize) -> String {
    match wrong {
        0 => style("\nEvery answer was right.").green().bold().to_string(),
        1 => style("\nOne answer was wrong.").red().bold().to_string(),
        many => style(format!("\n{many} answers were wrong.")).red().bold().to_string(),
    }
}
