//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long the system may take for anything that a test waits for, on a machine busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until the answer is `Some`. Fails, naming `what`, after [`PATIENCE`].
///
/// # Errors
/// When `ask` fails, or never answers `Some`.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("waited {PATIENCE:?} for: {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
