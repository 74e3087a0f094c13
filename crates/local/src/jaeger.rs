//! Jaeger, if there is one on the path: it shows the trace of a write through all regions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::{Error, Result};
use crate::launch::{self, Launch};
use crate::supervisor::Ending;

const SETTINGS: &str = include_str!("../../../infra/jaeger/jaeger.yaml");
/// Name of its process.
pub(crate) const NAME: &str = "jaeger";

pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(5) };

/// The ports Jaeger listens on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) page: u16,
    pub(crate) otlp: u16,
}

impl Ports {
    pub(crate) fn of(offset: u16) -> Self {
        Self { page: 16_686_u16.saturating_add(offset), otlp: 4_318_u16.saturating_add(offset) }
    }
}

pub(crate) fn find() -> Option<PathBuf> {
    launch::find("jaeger")
}

pub(crate) fn prepare(program: PathBuf, folder: &Path, ports: Ports) -> Result<Launch> {
    let settings = folder.join("jaeger.yaml");
    std::fs::write(&settings, SETTINGS).map_err(Error::at(&settings))?;
    let launch = Launch::new(program).settings(&settings).args(["--config".into(), settings]);
    let launch = launch.env("JAEGER_PAGE_PORT", ports.page.to_string());
    Ok(launch.env("JAEGER_OTLP_PORT", ports.otlp.to_string()).ports([ports.page, ports.otlp]))
}
