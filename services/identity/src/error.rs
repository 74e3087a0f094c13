//! Why a request is not done, apart from how HTTP says so.

use writ_service::Problem;

use crate::domain::Invalid;

/// What every part of the service fails with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request's parameters are wrong; each is named.
    #[error("the request is invalid")]
    Invalid(Invalid),
    /// No valid bearer token.
    #[error("a valid token is required")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// What is named does not exist for the caller.
    #[error("the {0} was not found")]
    NotFound(&'static str),
    /// The state does not allow it.
    #[error("{0}")]
    Conflict(&'static str),
    /// The organization's home is another region.
    #[error("the organization's home is another region")]
    Elsewhere {
        /// Base URL of identity in the home region.
        home: String,
        /// Path and query of the request.
        target: String,
    },
    /// Refused while the request was read.
    #[error("the request was refused")]
    Refused(Problem),
    /// PostgreSQL did not do as asked.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A record does not fit its schema.
    #[error("record: {0}")]
    Record(#[from] writ_contract::CodecError),
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

/// The result of every part of the service.
pub type Result<T, E = Error> = std::result::Result<T, E>;
