//! Starts, finds and stops the processes of a cluster. Each is recorded in a file of the home, so no daemon is needed.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use writ_provision::write_private;

use crate::error::{Error, Result};
use crate::home::Home;
use crate::process::identity::ProcessId;
use crate::process::launch::Launch;

/// Interval between checks of a condition that is waited for.
pub(crate) const POLL: Duration = Duration::from_millis(50);
/// Maximum number of log lines in an error.
const TAIL_LINES: usize = 15;
/// How long to wait for a port of an outgoing connection.
const PORT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a killed process may take to disappear.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

/// Record of a process that was started.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    process: ProcessId,
    fingerprint: String,
}

/// Whether a process had to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// It ran already, with the same settings.
    Found,
    /// It was started, or restarted with new settings.
    Now,
}

/// How a process is stopped: a signal, and SIGKILL after a grace period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) signal: Signal,
    pub(crate) grace: Duration,
}

/// The processes of one home.
#[derive(Debug, Clone)]
pub(crate) struct Supervisor {
    home: Home,
}

impl Supervisor {
    pub(crate) fn new(home: Home) -> Self {
        Self { home }
    }

    /// The process with this name, if it runs.
    pub(crate) fn running(&self, name: &str) -> Option<ProcessId> {
        self.entry(name).map(|entry| entry.process).filter(ProcessId::is_alive)
    }

    /// Starts the process unless it runs with the same settings.
    pub(crate) async fn ensure(&self, name: &str, launch: &Launch, ending: Ending) -> Result<Started> {
        let fingerprint = launch.fingerprint();
        if let Some(entry) = self.entry(name).filter(|entry| entry.process.is_alive()) {
            if entry.fingerprint == fingerprint {
                return Ok(Started::Found);
            }
            self.stop(name, ending).await;
        }
        self.wait_for_ports(name, launch).await?;
        let process = launch.spawn(name, &self.home.log(name))?;
        let entry = Entry { process, fingerprint };
        let text = serde_json::to_string(&entry).map_err(|error| Error::Settings(error.to_string()))?;
        write_private(&self.file(name), &text)?;
        Ok(Started::Now)
    }

    /// Stops a process. True if it ran.
    pub(crate) async fn stop(&self, name: &str, ending: Ending) -> bool {
        let running = self.running(name);
        if let Some(process) = &running {
            end(process, ending).await;
        }
        // A record that cannot be removed names a process that has ended, which is harmless.
        let _ = fs::remove_file(self.file(name));
        running.is_some()
    }

    /// Sends a signal and waits until the process has ended. True if it ran.
    pub(crate) async fn kill(&self, name: &str, signal: Signal) -> bool {
        let Some(process) = self.running(name) else { return false };
        process.signal(signal);
        gone(&process, KILL_TIMEOUT).await
    }

    /// Names of all recorded processes.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.run()).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".json").map(str::to_owned)).collect()
    }

    /// Whether no recorded process runs.
    pub(crate) fn none_runs(&self) -> bool {
        self.names().iter().all(|name| self.running(name).is_none())
    }

    /// An error with the end of the log if the process has ended.
    pub(crate) fn still_runs(&self, name: &str) -> Result<()> {
        if self.running(name).is_some() {
            return Ok(());
        }
        let log = self.home.log(name);
        let text = fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        Err(Error::Exited { name: name.to_owned(), log, tail })
    }

    /// Fails at once if another program listens on a port. An outgoing connection, whose port the system has chosen, ends
    /// soon: ports of the third region and up are in the range for those.
    async fn wait_for_ports(&self, name: &str, launch: &Launch) -> Result<()> {
        let began = Instant::now();
        for port in launch.ports.iter().copied() {
            while !is_free(port) {
                if has_listener(port) || began.elapsed() > PORT_TIMEOUT {
                    return Err(Error::PortInUse { port, process: name.to_owned() });
                }
                tokio::time::sleep(POLL).await;
            }
        }
        Ok(())
    }

    fn entry(&self, name: &str) -> Option<Entry> {
        serde_json::from_str(&fs::read_to_string(self.file(name)).ok()?).ok()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.run().join(format!("{name}.json"))
    }
}

/// Stops a process: signal, grace period, SIGKILL.
pub(crate) async fn end(process: &ProcessId, ending: Ending) {
    process.signal(ending.signal);
    if !gone(process, ending.grace).await {
        process.signal(Signal::SIGKILL);
        gone(process, KILL_TIMEOUT).await;
    }
}

async fn gone(process: &ProcessId, patience: Duration) -> bool {
    let began = Instant::now();
    while process.is_alive() {
        if began.elapsed() > patience {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}

/// Whether a loopback port can be listened on.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn has_listener(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), POLL).is_ok()
}

#[cfg(test)]
mod tests;
