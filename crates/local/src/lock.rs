//! Locks: one command at a time works on a cluster, and one on the cache that clusters share.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::process::supervisor::POLL;

/// Time-out, longer than any command takes.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Waits for the lock of a folder. It is released when the file is dropped or the process ends.
pub(crate) async fn take(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Error::at(&path))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < TIMEOUT => tokio::time::sleep(POLL).await,
            Err(error) => {
                return Err(Error::io(format!("another command works on {}", folder.display()))(error.into()));
            }
        }
    }
}
