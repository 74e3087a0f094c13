//! When tokens were last used.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;
use crate::record::record;

/// When a token was last used; at most hourly a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// The token's id.
    pub token: Uuid,
    /// Where it was used.
    pub region: String,
    /// When.
    pub last_used_at: Timestamp,
}
record!(TokenUsage, "TokenUsage", "token-usage.avsc");
