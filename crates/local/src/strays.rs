//! Processes of ours that no file names, such as those whose starter was killed before it could
//! write one. Every process carries its home in its environment; where the system shows that
//! (Linux), strays are found by it.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::home::Home;
use crate::launch::{HOME_MARK, NAME_MARK};
use crate::process::ProcessId;

/// Whether a process was started for this home.
pub(crate) fn belongs_to(pid: u32, home: &Home) -> bool {
    has(pid, &[mark(home)])
}

/// All processes that were started for this home.
pub(crate) fn all(home: &Home) -> Vec<ProcessId> {
    with(&[mark(home)])
}

/// Those that were started under a name: a killed one may have left children.
pub(crate) fn named(name: &str, home: &Home) -> Vec<ProcessId> {
    with(&[mark(home), format!("{NAME_MARK}={name}").into_bytes()])
}

fn with(marks: &[Vec<u8>]) -> Vec<ProcessId> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| has(*pid, marks)).filter_map(ProcessId::of).collect()
}

fn has(pid: u32, marks: &[Vec<u8>]) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    marks.iter().all(|mark| environment.split(|byte| *byte == 0).any(|variable| variable == *mark))
}

fn mark(home: &Home) -> Vec<u8> {
    [HOME_MARK.as_bytes(), b"=", home.root().as_os_str().as_bytes()].concat()
}
