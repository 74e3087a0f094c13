//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long the system may take for anything that a test waits for, on a machine busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until the answer is `Some`. Fails, naming `what`, after [`PATIENCE`].
///
/// # Errors
/// When `ask` fails, or never answers `Some`.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    until_within(PATIENCE, what, ask).await
}

/// The same with a time limit of its own, for what moves a lot of data.
///
/// # Errors
/// When `ask` fails, or never answers `Some`.
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("waited {patience:?} for: {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
