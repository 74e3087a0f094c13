//! The program that watches a region's mirror. It comes to Kafka as the mirror itself.

use std::path::Path;

use writ_kafka::access::rules;

use crate::cluster::{Cluster, LocalRegion};
use crate::error::Result;
use crate::launch::Launch;
use crate::{mirror, services};

const BINARY: &str = "writ-mirror-watch";

/// How it is started; `folder` is that of its region.
pub(crate) fn prepare(cluster: &Cluster, region: &LocalRegion, folder: &Path) -> Result<Launch> {
    let mut settings = settings(cluster, region);
    settings.push(("mirror_restart_file", mirror::restart_file(folder).display().to_string()));
    services::launch(cluster, BINARY, region.ports.mirror_watch, settings)
}

/// What it is told, wherever it runs; besides, it needs the file that it shares with the mirror.
pub(crate) fn settings(cluster: &Cluster, region: &LocalRegion) -> Vec<(&'static str, String)> {
    services::common(cluster, region, rules::MIRROR)
}
