//! `writ-mirror-watch`: wiring only.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use serde::Deserialize;
use writ_contract::Timestamp;
use writ_mirror_watch::PROGRAM;
use writ_mirror_watch::sources::Sources;
use writ_mirror_watch::watch::{Shared, Watch};
use writ_service::{Required, Service, ServiceSettings};

#[derive(Deserialize)]
struct WatchSettings {
    /// `WRIT_MIRROR_RESTART_FILE`: creating this file requests a restart of MirrorMaker.
    mirror_restart_file: PathBuf,
}

impl ServiceSettings for WatchSettings {
    const REQUIRED: Required = &[("mirror_restart_file", "/run/mirror/restart")];
}

#[tokio::main]
async fn main() -> ExitCode {
    writ_service::run(PROGRAM, wire).await
}

async fn wire(service: Service, settings: WatchSettings) -> anyhow::Result<()> {
    let common = &service.common;
    let sources = Shared::new(Sources::new(&common.region, &common.regions, Instant::now()));
    show(&service, &sources);
    let watch = Watch::start(&common.kafka(), sources, settings.mirror_restart_file)?;
    let stop = service.shutdown.clone();
    service.spawn("watch", async move { Ok(watch.run(stop).await?) });
    Ok(())
}

/// Readiness check and the `sources` of `/status`.
fn show(service: &Service, sources: &Shared) {
    let known = sources.clone();
    service.health.watch("mirror", move || match known.lock().trouble(Instant::now()) {
        Some(trouble) => Err(trouble),
        None => Ok(()),
    });
    let known = sources.clone();
    service.status("sources", move || std::future::ready(known.lock().to_json(Instant::now(), Timestamp::now())));
}
