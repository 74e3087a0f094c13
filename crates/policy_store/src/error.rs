//! What can go wrong with stored chains.

use writ_contract::CodecError;

/// Why stored chains could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// PostgreSQL does not answer, or refuses.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A column holds what this build never writes.
    #[error("column {column} holds an unknown value")]
    Corrupt {
        /// Table and column.
        column: &'static str,
    },
    /// A staged change set cannot be encoded or decoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
}
