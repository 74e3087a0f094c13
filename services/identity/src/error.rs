//! The error of every part of the service. HTTP answers are made of it in `http/error.rs`.

use uuid::Uuid;
use writ_service::Problem;
use writ_tokens::SealError;

use crate::domain::Violation;
use crate::domain::answer::KeptAnswer;
use crate::domain::quota::Quota;

/// The error of every part of the service.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A field breaks a rule that depends on more than itself.
    #[error("{field} {}", violation.reason)]
    Invalid {
        /// Path of the field in the body.
        field: &'static str,
        /// The rule.
        violation: Violation,
    },
    /// A system team cannot be changed.
    #[error("system teams cannot be modified")]
    SystemTeam,
    /// No bearer token at all.
    #[error("no token")]
    NoToken,
    /// No valid bearer token.
    #[error("a valid token is required")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It does not exist, or not for the caller.
    #[error("the {0} was not found")]
    NotFound(&'static str),
    /// The state does not allow it.
    #[error("{0}")]
    Conflict(&'static str),
    /// It exists already.
    #[error("{what}")]
    Exists {
        /// What exists.
        what: &'static str,
        /// Its id.
        id: Uuid,
    },
    /// The request was answered before: no error, but there is nothing left to do.
    #[error("the request was answered before")]
    Answered(Box<KeptAnswer>),
    /// The organization's last change lies in the future of the database's clock.
    #[error("the organization's last change lies in the future of the server's clock")]
    ClockAhead,
    /// The organization has too many requests in flight.
    #[error("{}", .0.detail())]
    TooManyRequests(Box<Problem>),
    /// The organization has as much as it may have.
    #[error("the organization has reached its quota of {quota} ({maximum})")]
    QuotaReached {
        /// What it would have too much of.
        quota: Quota,
        /// The most it may have.
        maximum: i64,
    },
    /// Too many changes of the organization wait for their turn.
    #[error("too many changes of the organization wait")]
    TooManyChanges,
    /// Too many records wait for Kafka.
    #[error("the outbox is full")]
    OutboxFull,
    /// The organization's home is another region.
    #[error("the organization's home is another region")]
    Elsewhere {
        /// Base URL of identity in the home region.
        home: String,
        /// Path and query of the request.
        target: String,
    },
    /// A statement failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// An answer cannot be sealed, or was sealed with another key.
    #[error("kept answer: {0}")]
    Sealing(#[from] SealError),
    /// An answer cannot be written as JSON.
    #[error("answer: {0}")]
    Answer(#[from] serde_json::Error),
    /// A record does not fit its schema.
    #[error("record: {0}")]
    Record(#[from] writ_contract::CodecError),
}

impl IdentityError {
    /// The field breaks this rule.
    pub fn invalid(field: &'static str, violation: Violation) -> Self {
        Self::Invalid { field, violation }
    }
}

/// The result of every part of the service.
pub type Result<T, E = IdentityError> = std::result::Result<T, E>;
