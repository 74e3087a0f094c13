//! When tokens were last used.

use serde::{Deserialize, Serialize};

use crate::record::record;
use crate::{Region, Timestamp, TokenId};

/// When a token was last used; at most hourly a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// The token's id.
    pub token: TokenId,
    /// Where it was used.
    pub region: Region,
    /// When.
    pub last_used_at: Timestamp,
}
record!(TokenUsage, "TokenUsage", "token-usage.avsc");
