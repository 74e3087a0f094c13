//! What changes in a chain.

use writ_contract::ChainId;
use writ_contract::policy_change::Head;

use crate::row::{Row, RowKey};
use crate::state::Standing;

/// What a change set changes, in memory and in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// Where the chain stands afterwards.
    pub standing: Standing,
    /// Rows to insert or replace, each key once.
    pub put: Vec<Row>,
    /// Keys of rows to delete; none of them is in `put`.
    pub dropped: Vec<RowKey>,
}

impl Delta {
    /// The chain's head afterwards.
    pub fn head(&self) -> &Head {
        &self.standing.head
    }

    /// Which chain changes.
    pub fn chain(&self) -> ChainId {
        self.standing.head.chain
    }
}
