//! One command at a time works on a cluster.

use std::fs::File;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};

use crate::error::{Error, Result};
use crate::home::Home;
use crate::supervisor::GLANCE;

/// Longer than any command takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Waits for the cluster's lock. It is free again when the guard, or the process, is gone.
pub(crate) async fn take(home: &Home) -> Result<Flock<File>> {
    let path = home.root().join("lock");
    let began = Instant::now();
    loop {
        let file = File::create(&path).map_err(Error::at(&path))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(GLANCE).await,
            Err((_, error)) => return Err(Error::io("another command works on this cluster")(error.into())),
        }
    }
}
