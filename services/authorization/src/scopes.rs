//! What entity producers may speak for: a file that is read again when it changes.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use writ_kafka::ProducerScopes;

use crate::metrics;

/// How often the file is read. A new producer's topic takes longer to appear.
const INTERVAL: Duration = Duration::from_millis(500);
/// Maximum size of the file, in bytes.
const MAX_FILE: u64 = 1_048_576;

/// The file, as it was last read.
pub struct ScopesFile {
    path: PathBuf,
    text: String,
    scopes: watch::Sender<ProducerScopes>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScopesError {
    /// It cannot be read.
    #[error("WRIT_ENTITY_PRODUCERS: {0}")]
    Unreadable(#[from] io::Error),
    /// It does not say what producers may speak for.
    #[error("WRIT_ENTITY_PRODUCERS: {0}")]
    Invalid(#[from] toml::de::Error),
}

impl ScopesFile {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read or is invalid.
    pub async fn open(path: PathBuf) -> Result<(Self, watch::Receiver<ProducerScopes>), ScopesError> {
        let (scopes, receiver) = watch::channel(ProducerScopes::default());
        let mut file = Self { path, text: String::new(), scopes };
        file.read().await?;
        Ok((file, receiver))
    }

    /// Follows the file until `stop`. What was read last applies while the file is invalid.
    pub async fn follow(mut self, stop: CancellationToken) {
        let mut failed = false;
        while tokio::time::timeout(INTERVAL, stop.cancelled()).await.is_err() {
            let read = self.read().await;
            if let (Err(error), false) = (&read, failed) {
                tracing::error!(%error, "what producers may speak for stays as it was");
            }
            failed = read.is_err();
        }
    }

    async fn read(&mut self) -> Result<(), ScopesError> {
        let mut text = String::new();
        let length = File::open(&self.path).await?.take(MAX_FILE + 1).read_to_string(&mut text).await?;
        if length as u64 > MAX_FILE {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
        }
        if text == self.text {
            return Ok(());
        }
        let scopes = ProducerScopes::parse(&text)?;
        scopes.producer.keys().for_each(metrics::begin_producer);
        tracing::info!(producers = scopes.producer.len(), "read what producers may speak for");
        self.scopes.send_replace(scopes);
        self.text = text;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
