//! What can go wrong with a local cluster, in words that say what to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the local cluster could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, folder or program could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Programs are missing; the text names them and the commands that install them.
    #[error("{0}")]
    Missing(String),
    /// Somebody else listens on a port of the cluster.
    #[error(
        "port {port}, wanted by {wanted_by}, is in use by {holder}. Stop that process, or choose other ports with --port-offset"
    )]
    PortInUse {
        /// The port.
        port: u16,
        /// The process of ours that wants it, such as `us-kafka`.
        wanted_by: String,
        /// Who holds it: process id and command, as far as this user may see them.
        holder: String,
    },
    /// A process ended before it was ready.
    #[error("{name} ended before it was ready. The end of {}:\n{tail}", log.display())]
    Exited {
        /// The process, such as `us-kafka`.
        name: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// Something did not become true in time.
    #[error("{name} was not ready after {} s: {last}", waited.as_secs())]
    Deadline {
        /// What was waited for.
        name: String,
        /// How long.
        waited: Duration,
        /// What was seen last.
        last: String,
    },
    /// A program we called failed.
    #[error("{command} failed ({status}):\n{output}")]
    Command {
        /// The program and what it was called for.
        command: String,
        /// Its exit status.
        status: String,
        /// The end of its output.
        output: String,
    },
    /// PostgreSQL refused something.
    #[error("PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
    /// Kafka refused something.
    #[error("Kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// A region could not be provisioned.
    #[error(transparent)]
    Provision(#[from] writ_provision::Error),
    /// The options or a file of the cluster make no sense.
    #[error("{0}")]
    Settings(String),
}

impl Error {
    /// For `map_err`: an I/O error with what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// For `map_err`: an I/O error on a path.
    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::io(path.display().to_string())
    }
}
