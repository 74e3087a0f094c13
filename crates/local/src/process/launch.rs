//! Starting processes detached, so that they outlive the command and the terminal.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::process::identity::ProcessId;

/// A program with arguments, environment and everything else that it is started with.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    user: Option<UnixUser>,
    settings: Vec<PathBuf>,
    /// Ports that it will listen on.
    pub(crate) ports: Vec<u16>,
}

/// A user of the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnixUser {
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

    pub(crate) fn user(mut self, user: Option<UnixUser>) -> Self {
        self.user = user;
        self
    }

    /// A settings file that it reads.
    pub(crate) fn settings(mut self, file: &Path) -> Self {
        self.settings.push(file.to_path_buf());
        self
    }

    /// Runs it through a script, which gets the program and its arguments.
    pub(crate) fn run_by(mut self, script: &Path) -> Self {
        let program = std::mem::replace(&mut self.program, PathBuf::from("bash"));
        self.args.splice(0..0, [script.into(), program.into()]);
        self.settings(script)
    }

    pub(crate) fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports.extend(ports);
        self
    }

    /// A hash of program, arguments, environment and settings. A process with another fingerprint is outdated.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.program, &self.args, &self.env).hash(&mut hasher);
        self.settings.iter().for_each(|file| std::fs::read(file).ok().hash(&mut hasher));
        if let Ok(file) = self.program.metadata() {
            (file.len(), file.modified().ok()).hash(&mut hasher);
        }
        format!("{:016x}", hasher.finish())
    }

    /// Starts it and appends its output to `log`.
    pub(crate) fn spawn(&self, name: &str, log: &Path) -> Result<ProcessId> {
        let output = appending(log)?;
        let mut command = self.command();
        command.env("NO_COLOR", "1").stdin(Stdio::null()).current_dir("/");
        command.stderr(output.try_clone().map_err(Error::at(log))?).stdout(output);
        let what = format!("cannot start {}", self.program.display());
        let mut child = command.spawn().map_err(Error::io(what))?;
        let process = ProcessId::of(child.id());
        // Collects the exit status, so that it does not become a zombie while this process lives.
        std::thread::spawn(move || child.wait());
        process.ok_or_else(|| Error::Settings(format!("{name} ended at once, see {}", log.display())))
    }

    /// The command, in a session of its own if there is `setsid`, else in a process group of its own, so that signals of the
    /// terminal do not reach it.
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

/// Finds a program on the path.
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
