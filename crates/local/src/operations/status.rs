//! State of the parts of a cluster.

use std::time::Duration;

use futures::future::join_all;
use serde::Serialize;

use crate::cluster::Cluster;
use crate::process::supervisor::Supervisor;
use crate::region::{LocalRegion, Part};

/// Heartbeats of a mirror arrive once a second, so it takes several checks to see them.
const MIRROR_CHECKS: usize = 10;
const BETWEEN_CHECKS: Duration = Duration::from_millis(300);

/// State of a part of a region.
#[derive(Debug, Clone, Serialize)]
pub struct PartStatus {
    /// Code of the region.
    pub region: String,
    /// Name of the part.
    pub part: &'static str,
    /// Process id, if it runs as a process.
    pub pid: Option<u32>,
    /// Port, if it listens.
    pub port: Option<u16>,
    /// Whether it can do its work.
    pub ready: bool,
    /// Why it is not ready.
    pub reason: Option<String>,
}

pub(super) async fn of_all(cluster: &Cluster) -> Vec<PartStatus> {
    join_all(cluster.all_parts().map(|(region, part)| of_part(cluster, region, part))).await
}

async fn of_part(cluster: &Cluster, region: &LocalRegion, part: Part) -> PartStatus {
    let process = Supervisor::new(cluster.home().clone()).running(&region.process(part));
    let checked = match cluster.in_containers || process.is_some() {
        true => check(cluster, region, part).await,
        false => Err("does not run".to_owned()),
    };
    PartStatus {
        region: region.code.to_string(),
        part: part.name(),
        pid: process.map(|process| process.pid),
        port: region.port_of(part),
        ready: checked.is_ok(),
        reason: checked.err(),
    }
}

async fn check(cluster: &Cluster, region: &LocalRegion, part: Part) -> Result<(), String> {
    let ready = cluster.ready(region, part);
    let checks = if part == Part::Mirror { MIRROR_CHECKS } else { 1 };
    for _ in 1..checks {
        if ready.check().await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_CHECKS).await;
    }
    ready.check().await
}
