//! `writ run`: a cluster that lives as long as its caller.

use anyhow::Result;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use writ_local::{Cluster, Progress};

use crate::up::{Up, show};

pub(crate) async fn execute(cluster: &Cluster, up: Up) -> Result<u8> {
    let progress = Progress::new();
    let outcome = tokio::select! {
        outcome = start_and_wait(cluster, up, &progress) => outcome,
        outcome = interrupted() => outcome,
    };
    cluster.down(&progress).await?;
    outcome.map(|()| 0)
}

async fn start_and_wait(cluster: &Cluster, up: Up, progress: &Progress) -> Result<()> {
    cluster.up(up.options(), progress).await?;
    show(cluster);
    println!("\nStops when standard input closes, or on Ctrl-C.");
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 256];
    while input.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn interrupted() -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
