//! The script that runs the mirror, with another program in its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::RUN;
use crate::process::identity::ProcessId;

const PATIENCE: Duration = Duration::from_secs(30);
/// Says its process id, and runs on.
const PROGRAM: &str = "echo $$ >> \"$0\"; exec sleep 600";

struct Running {
    folder: TempDir,
    script: Child,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let command = ["-c", RUN, "run.sh", "sh", "-c", PROGRAM];
        let script = Command::new("bash")
            .args(command)
            .arg(folder.path().join("started"))
            .env("WRIT_MIRROR_RESTART_FILE", folder.path().join("restart"))
            .spawn()
            .expect("bash exists");
        Self { folder, script }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program when it has been started so many times.
    fn started(&self, times: usize) -> ProcessId {
        until("the program is started", || {
            let text = read(&self.file("started"));
            let pid = text.lines().nth(times - 1)?.parse().ok()?;
            ProcessId::of(pid)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let pids = read(&self.file("started"));
        let left = pids.lines().filter_map(|pid| ProcessId::of(pid.parse().ok()?));
        // What has already ended needs no more.
        let _ = self.script.kill();
        left.for_each(|program| program.signal(Signal::SIGKILL));
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited for: {what}");
        std::thread::yield_now();
    }
}

fn gone(process: &ProcessId) {
    until("the program has ended", || (!process.is_alive()).then_some(()));
}

#[test]
fn what_ends_is_started_again() {
    let running = Running::start();
    let first = running.started(1);
    first.signal(Signal::SIGKILL);
    gone(&first);
    assert!(running.started(2).is_alive());
}

#[test]
fn a_file_asks_for_a_restart_once() {
    let running = Running::start();
    let first = running.started(1);
    fs::write(running.file("restart"), "task_failed").expect("writable");
    gone(&first);
    let second = running.started(2);
    assert!(!running.file("restart").exists());
    assert!(second.is_alive());
}

#[test]
fn it_ends_with_the_program_when_it_is_told_to() {
    let mut running = Running::start();
    let program = running.started(1);
    ProcessId::of(running.script.id()).expect("the script runs").signal(Signal::SIGTERM);
    until("the script has ended", || running.script.try_wait().expect("a child"));
    assert!(!program.is_alive());
}
