//! `writ status`: the parts of each region.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use writ_local::{Cluster, PartStatus};

use crate::chains;
use crate::table::{or_dash, table, verdict};

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Also show revision and digests of each chain in each region
    #[arg(long)]
    chains: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Returns 1 unless everything is ready and the regions agree.
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
    let mut table = table(["region", "part", "process", "port", "state"]);
    for part in parts {
        let state = part.reason.clone().unwrap_or_else(|| "ready".to_owned());
        table.add_row([
            part.region.clone().into(),
            part.part.into(),
            or_dash(part.pid).into(),
            or_dash(part.port).into(),
            verdict(part.ready, state),
        ]);
    }
    println!("{table}");
}
