//! Stopping the processes of a cluster.

use futures::future::join_all;

use crate::cluster::Cluster;
use crate::parts::{self, jaeger, prometheus};
use crate::process::supervisor::{Ending, Supervisor};
use crate::progress::Progress;
use crate::region::Part;

/// Stops services and mirrors first, then what they depend on.
pub(super) async fn processes(cluster: &Cluster, progress: &Progress) {
    let supervisor = Supervisor::new(cluster.home().clone());
    let names = supervisor.names();
    let (foundations, others): (Vec<_>, Vec<_>) =
        names.iter().partition(|name| Part::of_process(name).is_some_and(Part::is_foundation));
    for names in [others, foundations] {
        join_all(names.iter().map(|name| stop(&supervisor, name, progress))).await;
    }
}

async fn stop(supervisor: &Supervisor, name: &str, progress: &Progress) {
    let step = progress.step(name.replacen('-', " ", 1));
    if supervisor.stop(name, ending(name)).await {
        step.done("stopped");
    }
}

fn ending(process: &str) -> Ending {
    let tool = if process == prometheus::NAME { prometheus::ENDING } else { jaeger::ENDING };
    Part::of_process(process).map_or(tool, parts::ending)
}
