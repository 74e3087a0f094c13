//! Requests that a client may repeat, and what is kept to answer them.

use serde::{Deserialize, Serialize};
use writ_contract::Hash;
use writ_tokens::SealingKey;

/// A request with an `Idempotency-Key`: sent again, it gets the answer it got first.
#[derive(Debug, Clone)]
pub struct RepeatableRequest {
    /// Names the key among those of all callers.
    pub id: Hash,
    /// SHA-256 of method, path and body: what the key was first sent with.
    pub digest: Hash,
    /// Seals the answer.
    pub key: SealingKey,
}

/// The answer to a request that created something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// The state the answer saw.
    pub consistency_token: String,
    /// JSON, if it has a body.
    pub body: Option<String>,
}
