//! How a process is started: detached from whoever starts it, so that it outlives the terminal.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::process::ProcessId;

/// Marks every process of a cluster with its home, so that strays can be told from strangers.
pub(crate) const HOME_MARK: &str = "WRIT_LOCAL_HOME";
/// Marks every process with its name.
pub(crate) const NAME_MARK: &str = "WRIT_LOCAL_PROCESS";

/// A program with everything it is started with.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    user: Option<User>,
    settings: Vec<PathBuf>,
    /// Ports it is going to listen on.
    pub(crate) ports: Vec<u16>,
}

/// Another user that a process runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Launch {
    pub(crate) fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            user: None,
            settings: Vec::new(),
            ports: Vec::new(),
        }
    }

    pub(crate) fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn user(mut self, user: Option<User>) -> Self {
        self.user = user;
        self
    }

    /// A file it reads its settings from.
    pub(crate) fn settings(mut self, file: &Path) -> Self {
        self.settings.push(file.to_path_buf());
        self
    }

    /// The same, run by a script, which is given the program and its arguments.
    pub(crate) fn run_by(mut self, script: &Path) -> Self {
        let program = std::mem::replace(&mut self.program, PathBuf::from("bash"));
        self.args.splice(0..0, [script.into(), program.into()]);
        self.settings(script)
    }

    pub(crate) fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports.extend(ports);
        self
    }

    /// Changes when the program, its arguments, its environment or its settings change: a process
    /// started with another fingerprint is out of date.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.program, &self.args, &self.env).hash(&mut hasher);
        self.settings.iter().for_each(|file| std::fs::read(file).ok().hash(&mut hasher));
        if let Ok(file) = self.program.metadata() {
            (file.len(), file.modified().ok()).hash(&mut hasher);
        }
        format!("{:016x}", hasher.finish())
    }

    /// Starts it, its output appended to `log`.
    pub(crate) fn spawn(&self, name: &str, home: &Path, log: &Path) -> Result<ProcessId> {
        let output = appending(log)?;
        let mut command = self.command();
        // The output is a file: no colours.
        command.env(HOME_MARK, home).env(NAME_MARK, name).env("NO_COLOR", "1").stdin(Stdio::null()).current_dir("/");
        command.stderr(output.try_clone().map_err(Error::at(log))?).stdout(output);
        let what = format!("cannot start {}", self.program.display());
        let mut child = command.spawn().map_err(Error::io(what))?;
        let process = ProcessId::of(child.id());
        // Takes the exit status when it ends, or it would stay a zombie while this process lives.
        std::thread::spawn(move || child.wait());
        process.ok_or_else(|| Error::Settings(format!("{name} ended at once, see {}", log.display())))
    }

    /// The command, in its own session where there is `setsid`, else in its own process group:
    /// then no signal of the terminal reaches it.
    fn command(&self) -> Command {
        let mut command = match find("setsid") {
            Some(setsid) => {
                let mut command = Command::new(setsid);
                command.arg(&self.program);
                command
            }
            None => {
                let mut command = Command::new(&self.program);
                command.process_group(0);
                command
            }
        };
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }
}

/// A program on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn appending(log: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(log).map_err(Error::at(log))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_setting_changes_the_fingerprint() {
        let launch = Launch::new("/bin/sleep").args(["1"]).env("A", "1");
        assert_eq!(launch.fingerprint(), launch.clone().fingerprint());
        assert_ne!(launch.fingerprint(), launch.clone().env("B", "1").fingerprint());
        assert_ne!(launch.fingerprint(), launch.clone().args(["2"]).fingerprint());
        let file = tempfile::NamedTempFile::new().expect("a file");
        let reading = launch.settings(file.path());
        let before = reading.fingerprint();
        std::fs::write(file.path(), "regions = 3").expect("writable");
        assert_ne!(reading.fingerprint(), before);
    }
}
