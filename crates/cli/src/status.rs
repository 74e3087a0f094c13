//! `writ status`: each part of each region.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use writ_local::{Cluster, PartStatus};

use crate::chains;
use crate::table::{or_dash, table, verdict};

const MEBIBYTE: u64 = 1024 * 1024;

/// How much is shown.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Also each chain's revision and digests in each region
    #[arg(long)]
    chains: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Exit code 0 when everything is ready and the regions agree, 1 when not.
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        let parts = cluster.status().await;
        let chains = if self.chains { Some(chains::gather(cluster).await) } else { None };
        let good = parts.iter().all(|part| part.ready) && chains.as_ref().is_none_or(chains::Chains::agree);
        if self.json {
            let chains = chains.as_ref().map(chains::Chains::to_json);
            println!("{}", serde_json::to_string_pretty(&json!({"parts": parts, "chains": chains}))?);
        } else {
            show(&parts);
            if let Some(page) = cluster.prometheus_url() {
                println!("Metrics and alerts: {page}/alerts");
            }
            chains.iter().for_each(chains::Chains::show);
        }
        Ok(if good { 0 } else { 1 })
    }
}

fn show(parts: &[PartStatus]) {
    let mut table = table(["region", "part", "process", "port", "memory MiB", "state"]);
    for part in parts {
        let state = part.reason.clone().unwrap_or_else(|| "ready".to_owned());
        table.add_row([
            part.region.clone().into(),
            part.part.into(),
            or_dash(part.pid).into(),
            or_dash(part.port).into(),
            or_dash(part.memory_bytes.map(|bytes| bytes / MEBIBYTE)).into(),
            verdict(part.ready, state),
        ]);
    }
    let memory: u64 = parts.iter().filter_map(|part| part.memory_bytes).sum();
    println!("{table}");
    if memory > 0 {
        println!("Memory of all parts: {} MiB", memory / MEBIBYTE);
    }
}
