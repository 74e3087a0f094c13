//! Identity of processes. Process ids are reused, so a process is identified by its id and its start time: no other
//! process is ever killed.

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgid};
use serde::{Deserialize, Serialize};

/// A process. A later one with the same process id is not equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    /// Process id.
    pub(crate) pid: u32,
    /// Start time, in the format of the operating system.
    pub(crate) started: String,
}

impl ProcessId {
    /// The process that has this id now, if there is one.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        system::started(pid).map(|started| Self { pid, started })
    }

    /// Whether it still runs. A zombie does not count.
    pub(crate) fn is_alive(&self) -> bool {
        system::started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Sends a signal if it still runs. If it leads a process group, as everything we start does, its children get the
    /// signal as well.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.is_alive()
            && let Ok(pid) = i32::try_from(self.pid).map(Pid::from_raw)
        {
            let leads = getpgid(Some(pid)) == Ok(pid);
            // It may have ended meanwhile, which is fine.
            let _ = if leads { killpg(pid, signal) } else { kill(pid, signal) };
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    /// Fields after the command in `/proc/<pid>/stat`: state is the first, start time the 20th.
    const START_TIME: usize = 19;

    pub(super) fn started(pid: u32) -> Option<String> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let ended = matches!(*fields.first()?, "Z" | "X");
        (!ended).then(|| Some(format!("{}@{}", fields.get(START_TIME)?, boot.trim())))?
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::process::Command;

    pub(super) fn started(pid: u32) -> Option<String> {
        let arguments = ["-o", "stat=,lstart=", "-p", &pid.to_string()];
        let output = Command::new("ps").args(arguments).output().ok()?;
        let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let (state, started) = line.split_once(char::is_whitespace)?;
        (!state.starts_with('Z')).then(|| started.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_pid_used_again_is_another_process() {
        let me = ProcessId::of(std::process::id()).expect("this test runs");
        assert!(me.is_alive());
        let before_me = ProcessId { started: "0@earlier".to_owned(), ..me };
        assert!(!before_me.is_alive());
    }

    #[test]
    fn a_zombie_is_dead() {
        let mut child = Command::new("sleep").arg("600").spawn().expect("sleep exists");
        let process = ProcessId::of(child.id()).expect("it runs");
        process.signal(Signal::SIGKILL);
        // Not yet waited for: a zombie from here on.
        while process.is_alive() {
            std::thread::yield_now();
        }
        child.wait().expect("it ended");
    }
}
