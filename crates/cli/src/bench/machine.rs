//! The machine: time of an fsync, and idle processor time.

use std::fs::File;
use std::io::{Result, Write};
use std::path::Path;
use std::time::Instant;

/// Number of blocks to measure.
const BLOCKS: usize = 100;
/// Size of a PostgreSQL block.
const BLOCK: [u8; 8192] = [0; 8192];
/// `idle` and `iowait` in the first line of `/proc/stat`.
const IDLE_FIELDS: [usize; 2] = [3, 4];

/// Median time in milliseconds to write a block to a file in `folder` and sync it.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn fsync(folder: &Path) -> Result<f64> {
    let path = folder.join("fsync.probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(BLOCKS);
    for _ in 0..BLOCKS {
        file.write_all(&BLOCK)?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed());
    }
    std::fs::remove_file(&path)?;
    times.sort();
    Ok(times[BLOCKS / 2].as_secs_f64() * 1_000.0)
}

/// Processor times since boot, on systems that have them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Busyness(Option<Ticks>);

#[derive(Debug, Clone, Copy)]
struct Ticks {
    idle: u64,
    all: u64,
}

impl Busyness {
    pub(super) fn now() -> Self {
        Self(std::fs::read_to_string("/proc/stat").ok().as_deref().and_then(parse))
    }

    /// Share of processor time that was idle since, 0 to 1.
    pub(super) fn idle_since(self) -> Option<f64> {
        let (before, after) = (self.0?, Self::now().0?);
        let all = after.all.checked_sub(before.all).filter(|all| *all > 0)?;
        Some(after.idle.saturating_sub(before.idle) as f64 / all as f64)
    }
}

fn parse(stat: &str) -> Option<Ticks> {
    let fields: Vec<u64> =
        stat.lines().next()?.split_whitespace().skip(1).map_while(|field| field.parse().ok()).collect();
    let idle = IDLE_FIELDS.iter().map(|at| fields.get(*at).copied()).sum::<Option<u64>>()?;
    Some(Ticks { idle, all: fields.iter().sum() })
}
