//! `writ bench`: benchmarks.

mod compare;
mod evaluation;
mod histogram;
mod load;
mod machine;
mod propagation;
mod report;
mod writes;

use anyhow::Result;
use clap::Subcommand;
use writ_local::Cluster;

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Time until a role assignment is in force in another region, by stage
    Propagation(propagation::Propagation),
    /// Decisions per second of a region
    Evaluation(evaluation::EvaluationBench),
    /// Changes per second of a region
    Writes(writes::WritesBench),
    /// Two clusters measured in turn
    Compare(compare::Compare),
}

impl Bench {
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        match self {
            Self::Propagation(propagation) => propagation.execute(cluster).await,
            Self::Evaluation(evaluation) => evaluation.execute(cluster).await,
            Self::Writes(writes) => writes.execute(cluster).await,
            Self::Compare(compare) => compare.execute(cluster).await,
        }
    }
}
