//! Parts that stand still without closing a connection, like a machine that lost its power or a virtual one that is paused.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::system::System;

/// A part whose processes are stopped. They go on when it is dropped.
pub struct Frozen(Vec<u32>);

impl System {
    /// Stops all processes of a part, such as `postgres`.
    ///
    /// # Errors
    /// When it does not run as processes of this machine.
    pub fn freeze(&self, region: &str, part: &str) -> Result<Frozen> {
        let file = self.home().join(format!("run/{region}-{part}.json"));
        let entry: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
        let leader = entry.pointer("/process/pid").and_then(Value::as_u64).context("the process of the part")?;
        let frozen = Frozen(family(u32::try_from(leader)?)?);
        frozen.signal("-STOP")?;
        Ok(frozen)
    }
}

impl Frozen {
    fn signal(&self, signal: &str) -> Result<()> {
        let status = Command::new("kill").arg(signal).args(self.0.iter().map(u32::to_string)).status()?;
        ensure!(status.success(), "kill {signal}");
        Ok(())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // One that has ended meanwhile is no reason to leave the others stopped: each got the signal.
        let _ = self.signal("-CONT");
    }
}

/// A process and all that it has started: PostgreSQL's are in sessions of their own.
fn family(leader: u32) -> Result<Vec<u32>> {
    let mut parents = BTreeMap::new();
    for process in fs::read_dir("/proc")? {
        let Some(pid) = process?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // The name before it, in parentheses, may hold blanks.
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
        parents.insert(pid, parent.unwrap_or(0));
    }
    let mut family = vec![leader];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    Ok(family)
}
