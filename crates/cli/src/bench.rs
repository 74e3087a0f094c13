//! `writ bench`: what it measures, and how it is shown.

mod compare;
mod evaluation;
mod histogram;
mod load;
mod machine;
mod propagation;
mod report;

use anyhow::Result;
use clap::Subcommand;
use writ_local::Cluster;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// How long a role assignment takes to be in force in another region, stage by stage
    Propagation(propagation::Propagation),
    /// How many decisions a region answers in a second
    Evaluation(evaluation::Evaluation),
    /// Two clusters that differ in one thing, measured in turn
    Compare(compare::Compare),
}

impl Bench {
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        match self {
            Self::Propagation(propagation) => propagation.execute(cluster).await,
            Self::Evaluation(evaluation) => evaluation.execute(cluster).await,
            Self::Compare(compare) => compare.execute(cluster).await,
        }
    }
}
