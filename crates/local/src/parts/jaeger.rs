//! Jaeger, if it is on the path: shows the trace of a change through all regions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::{Error, Result};
use crate::process::launch::{self, Launch};
use crate::process::supervisor::Ending;

const SETTINGS: &str = include_str!("../../../../infra/jaeger/jaeger.yaml");
/// Name of the process.
pub(crate) const NAME: &str = "jaeger";

pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(5) };

/// Ports of Jaeger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JaegerPorts {
    pub(crate) page: u16,
    pub(crate) otlp: u16,
}

impl JaegerPorts {
    pub(crate) fn of(offset: u16) -> Self {
        Self { page: 16_686_u16.saturating_add(offset), otlp: 4_318_u16.saturating_add(offset) }
    }
}

pub(crate) fn find() -> Option<PathBuf> {
    launch::find(NAME)
}

pub(crate) fn prepare(program: PathBuf, folder: &Path, ports: JaegerPorts) -> Result<Launch> {
    let settings = folder.join("jaeger.yaml");
    std::fs::write(&settings, SETTINGS).map_err(Error::at(&settings))?;
    let launch = Launch::new(program).settings(&settings).args(["--config".into(), settings]);
    let launch = launch.env("JAEGER_PAGE_PORT", ports.page.to_string());
    Ok(launch.env("JAEGER_OTLP_PORT", ports.otlp.to_string()).ports([ports.page, ports.otlp]))
}
