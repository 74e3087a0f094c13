//! The programs of this project: the four services and mirror-watch.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use writ_provision::Service;

use crate::error::{Error, Result};
use crate::process::launch::Launch;
use crate::process::supervisor::Ending;
use crate::region::LOOPBACK;

pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(10) };

/// Settings by their names in `infra/writ.toml`.
pub(crate) type ProgramSettings = Vec<(&'static str, String)>;

/// Where a program listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProgramPorts {
    /// Its API, if it has one.
    pub(crate) api: Option<u16>,
    /// Health, status and metrics.
    pub(crate) operations: u16,
}

/// How a program is started. Settings are passed in the environment.
pub(crate) fn prepare(
    programs: &Path,
    binary: &str,
    ports: ProgramPorts,
    mut settings: ProgramSettings,
) -> Result<Launch> {
    let program = programs.join(binary);
    if !program.is_file() {
        return Err(Error::Missing(format!("{} does not exist: build the services first", program.display())));
    }
    settings.push(("operations_listen", format!("{LOOPBACK}:{}", ports.operations)));
    settings.extend(ports.api.map(|port| ("listen", format!("{LOOPBACK}:{port}"))));
    let variable = |name: &str| format!("WRIT_{}", name.to_uppercase());
    let launch = Launch::new(program).ports(ports.api.into_iter().chain([ports.operations]));
    Ok(settings.into_iter().fold(launch, |launch, (name, value)| launch.env(&variable(name), value)))
}

/// Folder of the programs: that of the running program, or one above for tests and examples.
pub(crate) fn find_programs() -> Result<PathBuf> {
    let current = std::env::current_exe().map_err(Error::io("the running program"))?;
    let has = |folder: &&Path| folder.join(Service::Identity.binary()).is_file();
    let found = current.ancestors().skip(1).take(2).find(has);
    found.map(Path::to_path_buf).ok_or_else(|| {
        let folder = current.parent().unwrap_or(Path::new(".")).display();
        Error::Missing(format!(
            "writ-identity is not in {folder}: build the services first, with cargo build --workspace"
        ))
    })
}
