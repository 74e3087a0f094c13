//! `writ logs`: the logs of the processes.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;
use writ_local::Cluster;

/// Which logs to show.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Only this region
    region: Option<String>,
    /// Only this part: identity, authorization, projector, audit, kafka, mirror, mirror-watch,
    /// postgres
    part: Option<String>,
    /// Follow the logs
    #[arg(short, long)]
    follow: bool,
    /// Number of lines of each log
    #[arg(short = 'n', long, default_value_t = 20)]
    lines: usize,
}

impl Logs {
    pub(crate) fn execute(&self, cluster: &Cluster) -> Result<u8> {
        if cluster.in_containers() {
            return Err(self.of_containers().exec().into());
        }
        let files = self.files(cluster)?;
        if files.is_empty() {
            bail!("no such log in {}", cluster.home().logs().display());
        }
        let mut tail = Command::new("tail");
        tail.arg("-n").arg(self.lines.to_string()).args(self.follow.then_some("-F")).args(files);
        Err(tail.exec().into())
    }

    fn of_containers(&self) -> Command {
        let mut compose = Command::new("docker");
        compose.args(["compose", "logs", "--tail"]).arg(self.lines.to_string()).args(self.follow.then_some("-f"));
        if let (Some(region), Some(part)) = (&self.region, &self.part) {
            compose.arg(format!("{region}-{part}"));
        }
        compose
    }

    fn files(&self, cluster: &Cluster) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(cluster.home().logs())? {
            let path = entry?.path();
            if path.file_stem().and_then(|name| name.to_str()).is_some_and(|name| self.wants(name)) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// Names are `<region>-<part>`.
    fn wants(&self, name: &str) -> bool {
        let (region, part) = name.split_once('-').unwrap_or((name, name));
        let matches = |wanted: &Option<String>, found| wanted.as_deref().is_none_or(|wanted| wanted == found);
        matches(&self.region, region) && matches(&self.part, part)
    }
}
