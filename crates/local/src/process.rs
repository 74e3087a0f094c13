//! Processes as the operating system knows them. A process is a pid *and* the moment it started:
//! pids are used again, and a stranger must never be killed.

use std::process::Command;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgid};
use serde::{Deserialize, Serialize};

/// One process, for good: a later one with the same pid is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    /// The number.
    pub(crate) pid: u32,
    /// When it started, in the system's own words.
    pub(crate) started: String,
}

impl ProcessId {
    /// The process that has this pid now, if it lives.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        system::started(pid).map(|started| Self { pid, started })
    }

    /// Whether it still runs. A zombie does not.
    pub(crate) fn is_alive(&self) -> bool {
        system::started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Sends a signal, if it still runs, and to its children, too: what we start leads a process group of its own. What
    /// leads none gets it alone.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.is_alive()
            && let Ok(pid) = i32::try_from(self.pid).map(Pid::from_raw)
        {
            let leads = getpgid(Some(pid)) == Ok(pid);
            // It may end between the two lines: then there is nobody to signal, which is fine.
            let _ = if leads { killpg(pid, signal) } else { kill(pid, signal) };
        }
    }

    /// Memory of the process and its children in bytes; what several share counts once.
    pub(crate) fn memory(&self) -> Option<u64> {
        system::memory(self.pid)
    }
}

/// Program and arguments of a process, shortened, as far as this user may see them.
pub(crate) fn command_of(pid: u32) -> String {
    let output = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default().chars().take(120).collect()
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

    pub(super) fn memory(pid: u32) -> Option<u64> {
        let own = proportional(pid)?;
        Some(own + children(pid).filter_map(proportional).sum::<u64>())
    }

    /// PostgreSQL works in child processes. The list is empty where the kernel does not keep it.
    fn children(pid: u32) -> impl Iterator<Item = u32> {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        text.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>().into_iter()
    }

    /// Resident memory, pages that others have too in proportion.
    fn proportional(pid: u32) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1024)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::process::Command;

    pub(super) fn started(pid: u32) -> Option<String> {
        let line = ps(pid, "stat=,lstart=")?;
        let (state, started) = line.split_once(char::is_whitespace)?;
        (!state.starts_with('Z')).then(|| started.trim().to_owned())
    }

    pub(super) fn memory(pid: u32) -> Option<u64> {
        ps(pid, "rss=")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    }

    fn ps(pid: u32, columns: &str) -> Option<String> {
        let output = Command::new("ps").args(["-o", columns, "-p", &pid.to_string()]).output().ok()?;
        let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (!line.is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
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
