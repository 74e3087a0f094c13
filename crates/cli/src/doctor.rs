//! `writ doctor`: what is missing or in the way, and what to do about it.

use anyhow::Result;
use console::style;
use writ_local::{Cluster, prerequisites};

pub(crate) async fn execute(cluster: &Cluster) -> Result<u8> {
    let complete = programs();
    let in_order = parts(cluster).await;
    Ok(if complete && in_order { 0 } else { 1 })
}

/// Whether all programs are installed.
fn programs() -> bool {
    println!("{}", style("Programs").bold());
    for check in prerequisites::checks() {
        let found = check.found.as_ref().map(|path| path.display().to_string());
        line(found.is_some(), &check.what, &found.unwrap_or_else(|| "missing".to_owned()));
    }
    let advice = prerequisites::advice();
    if let Some(advice) = &advice {
        println!("\n{advice}");
    }
    advice.is_none()
}

/// Whether every part that runs is ready, and the ports of the others are free.
async fn parts(cluster: &Cluster) -> bool {
    println!("\n{}", style("Parts").bold());
    let mut in_order = true;
    for part in cluster.status().await {
        let taken = part.port.filter(|port| part.pid.is_none() && !writ_local::is_free(*port));
        let good = taken.is_none() && (part.ready || part.pid.is_none());
        let state = match (taken, part.reason) {
            (Some(port), _) => format!("its port {port} is in use by another program"),
            (None, Some(reason)) => reason,
            (None, None) => "ready".to_owned(),
        };
        line(good, &format!("{} {}", part.region, part.part), &state);
        in_order &= good;
    }
    in_order
}

fn line(good: bool, what: &str, state: &str) {
    let mark = if good { style("✓").green() } else { style("✗").red() };
    println!("  {mark} {what:<40} {state}");
}
