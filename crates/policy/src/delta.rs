//! What changes in a chain.

use writ_contract::ChainId;
use writ_contract::policy_change::Head;

use crate::halt::Halt;
use crate::row::{Row, RowKey};
use crate::state::Standing;

/// What a change set changes, in memory and in PostgreSQL. Two are equal if they change the same, made or not.
#[derive(Debug, Clone)]
pub struct Delta {
    /// Where the chain stands afterwards.
    pub standing: Standing,
    /// Rows to insert or replace, each key once.
    pub put: Vec<Row>,
    /// Keys of rows to delete; none of them is in `put`.
    pub dropped: Vec<RowKey>,
    /// What it replaced in memory, once it is made there.
    pub(crate) replaced: Replaced,
}

/// What a delta replaced, so that it can be [taken back](crate::Index::take_back).
#[derive(Debug, Clone, Default)]
pub(crate) struct Replaced {
    /// Where the chain stood, if there was one.
    pub(crate) standing: Option<Box<Standing>>,
    /// Rows that were dropped, or others put in their place.
    pub(crate) rows: Vec<Row>,
}

impl PartialEq for Delta {
    fn eq(&self, other: &Self) -> bool {
        (&self.standing, &self.put, &self.dropped) == (&other.standing, &other.put, &other.dropped)
    }
}

impl Eq for Delta {}

impl Delta {
    /// A change that is not made yet.
    pub(crate) fn new(standing: Standing, put: Vec<Row>, dropped: Vec<RowKey>) -> Self {
        Self { standing, put, dropped, replaced: Replaced::default() }
    }

    /// The opposite change, or `None` if there was no chain before.
    pub(crate) fn inverse(self) -> Option<Self> {
        let standing = *self.replaced.standing?;
        // What is put back below was dropped or replaced; the rest of what was put is new.
        let dropped = self.put.iter().map(Row::key).collect();
        Some(Self::new(standing, self.replaced.rows, dropped))
    }

    /// Why the chain stood still before, if it did, once the change is made.
    pub fn halted_before(&self) -> Option<Halt> {
        self.replaced.standing.as_ref().and_then(|standing| standing.halt)
    }

    /// The chain's head afterwards.
    pub fn head(&self) -> &Head {
        &self.standing.head
    }

    /// Which chain changes.
    pub fn chain(&self) -> ChainId {
        self.standing.head.chain
    }
}
