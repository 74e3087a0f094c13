//! `writ down`: stops every process of the cluster.

use anyhow::Result;
use writ_local::{Cluster, Progress};

pub(crate) async fn execute(cluster: &Cluster) -> Result<u8> {
    cluster.down(&Progress::new()).await?;
    println!("The cluster is stopped. Its data is in {}.", cluster.home().root().display());
    Ok(0)
}
