//! Processes of ours that no file names, such as those whose starter was killed before it could
//! write one. Every process carries its home in its environment; where the system shows that
//! (Linux), strays are found by it.

use std::fs;
use std::path::Path;

use crate::home::Home;
use crate::launch::HOME_MARK;
use crate::process::ProcessId;

/// Whether a process was started for this home.
pub(crate) fn belongs_to(pid: u32, home: &Home) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    let wanted = mark(home.root());
    environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
}

/// All processes that were started for this home.
pub(crate) fn all(home: &Home) -> Vec<ProcessId> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| belongs_to(*pid, home)).filter_map(ProcessId::of).collect()
}

fn mark(home: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    [HOME_MARK.as_bytes(), b"=", home.as_os_str().as_bytes()].concat()
}
