//! Errors of a local cluster. Their texts say what to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a local cluster failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, folder or program could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: String,
        /// Cause.
        source: std::io::Error,
    },
    /// Programs are missing; the text names them and the commands that install them.
    #[error("{0}")]
    Missing(String),
    /// A port of the cluster is taken by another process.
    #[error(
        "port {port} of {process} is already in use. Stop the program that uses it, or choose other ports with --port-offset"
    )]
    PortInUse {
        /// The port.
        port: u16,
        /// The process that needs it, such as `us-kafka`.
        process: String,
    },
    /// A process ended before it was ready.
    #[error("{name} ended before it was ready. Last lines of {}:\n{tail}", log.display())]
    Exited {
        /// The process, such as `us-kafka`.
        name: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A part did not become ready in time.
    #[error("{name} was not ready after {} s: {last}", waited.as_secs())]
    Deadline {
        /// The part.
        name: String,
        /// Time waited.
        waited: Duration,
        /// Result of the last check.
        last: String,
    },
    /// A program we called failed.
    #[error("{command} failed ({status}):\n{output}")]
    Command {
        /// The program or its purpose.
        command: String,
        /// Its exit status.
        status: String,
        /// The end of its output.
        output: String,
    },
    /// PostgreSQL refused a statement or a connection.
    #[error("PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
    /// A Kafka client failed.
    #[error("Kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// A region could not be provisioned.
    #[error(transparent)]
    Provision(#[from] writ_provision::Error),
    /// Options or a file of the cluster are invalid.
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
