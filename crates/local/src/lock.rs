//! One command at a time works on a cluster, and one on what all clusters share.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};

use crate::error::{Error, Result};
use crate::supervisor::GLANCE;

/// Longer than any command takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Waits for the lock of a folder. It is free again when the guard, or the process, is gone.
pub(crate) async fn take(folder: &Path) -> Result<Flock<File>> {
    let path = folder.join("lock");
    let began = Instant::now();
    loop {
        let file = File::create(&path).map_err(Error::at(&path))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(GLANCE).await,
            Err((_, error)) => {
                return Err(Error::io(format!("another command works on {}", folder.display()))(error.into()));
            }
        }
    }
}
