//! Errors of provisioning.

use std::path::{Path, PathBuf};

use writ_kafka::access::AccessError;
use writ_kafka::topics::EnsureError;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a region could not be provisioned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, folder or program could not be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file, folder or program.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The topics could not be created.
    #[error(transparent)]
    Topics(#[from] EnsureError),
    /// Principals or access rights could not be changed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// PostgreSQL refused a statement or a connection.
    #[error("PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
    /// The migrations of a service failed.
    #[error("{program} migrate failed:\n{output}")]
    Migration {
        /// Program of the service.
        program: String,
        /// Its output.
        output: String,
    },
    /// A certificate could not be created.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A setting is missing or invalid.
    #[error("{0}")]
    Settings(String),
}

impl Error {
    /// For `map_err`: an I/O error on a path.
    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }
}
