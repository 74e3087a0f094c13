//! Starts, finds and stops the processes of a cluster. Each has one file in the home that says
//! which process it is; there is no daemon that could die.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::future::join_all;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use writ_provision::write_private;

use crate::error::{Error, Result};
use crate::holder;
use crate::home::Home;
use crate::launch::Launch;
use crate::process::ProcessId;
use crate::strays;

/// How often a condition is looked at while something is waited for.
pub(crate) const GLANCE: Duration = Duration::from_millis(50);
/// How many of a log's last lines an error shows.
const TAIL_LINES: usize = 15;
/// How long a stranger's connection may have a port that we want.
const PASSING: Duration = Duration::from_secs(15);
/// How a process that is in the way is ended.
const RECLAIM: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(10) };
/// How long a killed process may take to disappear.
const KILLED: Duration = Duration::from_secs(10);

/// What is known of a process that was started.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    process: ProcessId,
    fingerprint: String,
}

/// Whether a process had to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// It ran already, as wanted.
    Found,
    /// It was started, or started again with new settings.
    Now,
}

/// How a process is asked to end, and how long it may take before it is killed.
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

    /// The process of this name, if it runs.
    pub(crate) fn running(&self, name: &str) -> Option<ProcessId> {
        self.entry(name).map(|entry| entry.process).filter(ProcessId::is_alive)
    }

    /// Makes sure that the process runs as wanted.
    pub(crate) async fn ensure(&self, name: &str, launch: &Launch, ending: Ending) -> Result<Started> {
        let fingerprint = launch.fingerprint();
        if let Some(entry) = self.entry(name).filter(|entry| entry.process.is_alive()) {
            if entry.fingerprint == fingerprint {
                return Ok(Started::Found);
            }
            self.stop(name, ending).await;
        }
        join_all(strays::named(name, &self.home).iter().map(|left| end(left, RECLAIM))).await;
        self.clear_ports(name, launch).await?;
        let process = launch.spawn(name, self.home.root(), &self.home.log(name))?;
        let entry = Entry { process, fingerprint };
        let text = serde_json::to_string(&entry).map_err(|error| Error::Settings(error.to_string()))?;
        write_private(&self.file(name), &text)?;
        Ok(Started::Now)
    }

    /// Ends a process: asks, waits, kills. True if it ran.
    pub(crate) async fn stop(&self, name: &str, ending: Ending) -> bool {
        let running = self.running(name);
        if let Some(process) = &running {
            end(process, ending).await;
        }
        // What is not recorded does not run: a file that cannot be removed names a dead process.
        let _ = fs::remove_file(self.file(name));
        running.is_some()
    }

    /// Sends one signal and waits until the process is gone. True if it ran.
    pub(crate) async fn kill(&self, name: &str, signal: Signal) -> bool {
        let Some(process) = self.running(name) else { return false };
        process.signal(signal);
        gone(&process, KILLED).await
    }

    /// Names of all processes on record.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.run()).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".json").map(str::to_owned)).collect()
    }

    /// Whether no process on record runs.
    pub(crate) fn none_runs(&self) -> bool {
        self.names().iter().all(|name| self.running(name).is_none())
    }

    /// An error if the process has ended, with the end of its log.
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

    /// Ends what holds a port of this home without right: a stray, or a process of ours that was
    /// given the port for an outgoing connection. Strangers are left alone.
    pub(crate) async fn reclaim(&self, port: u16) {
        let listener = holder::listener(port);
        let Some(pid) = listener.or_else(|| holder::connection(port)) else { return };
        let recorded = self.names().into_iter().find(|name| self.running(name).is_some_and(|held| held.pid == pid));
        match recorded {
            // It listens where it should, on a port of its own.
            Some(_) if listener.is_some() => {}
            Some(name) => drop(self.stop(&name, RECLAIM).await),
            None if strays::belongs_to(pid, &self.home) => {
                if let Some(stray) = ProcessId::of(pid) {
                    end(&stray, RECLAIM).await;
                }
            }
            None => {}
        }
    }

    /// Waits a little for ports that a passing connection has.
    async fn clear_ports(&self, name: &str, launch: &Launch) -> Result<()> {
        let began = Instant::now();
        for port in launch.ports.iter().copied() {
            while !holder::is_free(port) {
                if holder::listener(port).is_some() || began.elapsed() > PASSING {
                    let holder = holder::describe(port);
                    return Err(Error::PortInUse { port, wanted_by: name.to_owned(), holder });
                }
                tokio::time::sleep(GLANCE).await;
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

/// Ends a process: asks, waits, kills.
pub(crate) async fn end(process: &ProcessId, ending: Ending) {
    process.signal(ending.signal);
    if !gone(process, ending.grace).await {
        process.signal(Signal::SIGKILL);
        gone(process, KILLED).await;
    }
}

async fn gone(process: &ProcessId, patience: Duration) -> bool {
    let began = Instant::now();
    while process.is_alive() {
        if began.elapsed() > patience {
            return false;
        }
        tokio::time::sleep(GLANCE).await;
    }
    true
}

#[cfg(test)]
mod tests;
