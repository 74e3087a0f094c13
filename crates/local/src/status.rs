//! What runs.

use futures::future::join_all;
use serde::Serialize;

use crate::cluster::{Cluster, LocalRegion};
use crate::part::Part;

/// One part of a region as it is now.
#[derive(Debug, Clone, Serialize)]
pub struct PartStatus {
    /// Code of the region.
    pub region: String,
    /// Name of the part.
    pub part: &'static str,
    /// Process id, if it runs.
    pub pid: Option<u32>,
    /// Where it listens, if it does.
    pub port: Option<u16>,
    /// Memory in bytes, child processes included.
    pub memory_bytes: Option<u64>,
    /// Whether it can do its work.
    pub ready: bool,
    /// Why it cannot.
    pub reason: Option<String>,
}

impl Cluster {
    /// Looks at every part of every region.
    pub async fn status(&self) -> Vec<PartStatus> {
        let parts = self.regions.iter().flat_map(|region| self.parts().map(move |part| (region, part)));
        join_all(parts.map(|(region, part)| self.part_status(region, part))).await
    }

    async fn part_status(&self, region: &LocalRegion, part: Part) -> PartStatus {
        let process = self.supervisor().running(&region.process(part));
        let looked = match self.in_containers || process.is_some() {
            true => self.is_ready(region, part).await,
            false => Err("does not run".to_owned()),
        };
        PartStatus {
            region: region.code.to_string(),
            part: part.name(),
            pid: process.as_ref().map(|process| process.pid),
            port: region.port_of(part),
            memory_bytes: process.and_then(|process| process.memory()),
            ready: looked.is_ok(),
            reason: looked.err(),
        }
    }

    /// A mirror is seen by its heartbeats, one a second: that takes a few looks.
    async fn is_ready(&self, region: &LocalRegion, part: Part) -> Result<(), String> {
        let ready = self.ready(region, part);
        let looks = if part == Part::Mirror { 10 } else { 1 };
        for _ in 1..looks {
            if ready.look().await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
        ready.look().await
    }
}

impl LocalRegion {
    /// Where a part listens, if it does.
    pub fn port_of(&self, part: Part) -> Option<u16> {
        match part {
            Part::Postgres => Some(self.ports.postgres),
            Part::Kafka => Some(self.ports.kafka),
            Part::Mirror => None,
            Part::MirrorWatch => Some(self.ports.mirror_watch),
            Part::Service(service) => Some(self.port(service)),
        }
    }
}
