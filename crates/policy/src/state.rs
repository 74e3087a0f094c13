//! Where a chain stands: its head, why it may have stopped, and its rows.

use writ_contract::policy_change::{ChainState, Head};
use writ_contract::row::OrganizationState;
use writ_contract::{ChainId, Hash, Revision, Timestamp};

use crate::delta::Delta;
use crate::halt::Halt;
use crate::history::History;
use crate::row::Row;
use crate::rows::Rows;

/// All of a chain but its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What was applied last, and whether the chain moves on.
    pub head: Head,
    /// When the last change set was committed at home.
    pub committed_at: Timestamp,
    /// Why the chain does not move on.
    pub halt: Option<Halt>,
    /// The highest revision that arrived, applied or not.
    pub seen: Revision,
    /// The last digests.
    pub history: History,
}

impl Standing {
    /// Of a chain of which nothing was applied.
    pub fn new(chain: ChainId) -> Self {
        let head = Head {
            chain,
            revision: Revision::START,
            digest: Hash::ZERO,
            state_digest: Hash::ZERO,
            state: ChainState::Live,
        };
        Self {
            head,
            committed_at: Timestamp::default(),
            halt: None,
            seen: Revision::START,
            history: History::default(),
        }
    }

    /// Sets `halt` and the head's state that follows from it.
    pub(crate) fn set_halt(&mut self, halt: Option<Halt>, organization: Option<OrganizationState>) {
        let moving = match organization {
            Some(OrganizationState::Deleted) => ChainState::Closed,
            _ => ChainState::Live,
        };
        self.halt = halt;
        self.head.state = halt.map_or(moving, Halt::state);
    }
}

/// One chain: where it stands, and its rows.
#[derive(Debug, Clone)]
pub struct Chain {
    standing: Standing,
    rows: Rows,
}

impl Chain {
    /// A chain of which nothing was applied.
    pub fn new(id: ChainId) -> Self {
        Self { standing: Standing::new(id), rows: Rows::default() }
    }

    pub(crate) fn restored(standing: Standing, rows: Rows) -> Self {
        Self { standing, rows }
    }

    /// Which chain it is.
    pub fn id(&self) -> ChainId {
        self.standing.head.chain
    }

    /// What was applied last.
    pub fn head(&self) -> &Head {
        &self.standing.head
    }

    /// All but the rows.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The rows.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Of the last change set applied.
    pub fn revision(&self) -> Revision {
        self.standing.head.revision
    }

    /// The only revision that the next change set may have.
    pub fn next(&self) -> Revision {
        self.revision().next()
    }

    /// The commit time of a change set made `now`: later than that of the one before, whatever
    /// the clock says.
    pub fn next_committed_at(&self, now: Timestamp) -> Timestamp {
        now.max(Timestamp(self.standing.committed_at.0.saturating_add(1)))
    }

    /// Whether the chain waits for something and its rows may not be all there are.
    pub fn is_halted(&self) -> bool {
        self.standing.halt.is_some()
    }

    /// The same chain with another halt: what to write when only that changes.
    pub(crate) fn halted(&self, halt: Option<Halt>, seen: Revision) -> Delta {
        let mut standing = self.standing.clone();
        standing.seen = standing.seen.max(seen);
        standing.set_halt(halt, self.rows.organization());
        Delta::new(standing, Vec::new(), Vec::new())
    }

    /// Makes the change that was worked out. Returns where the chain stood, and the rows that are gone or replaced.
    pub(crate) fn commit(&mut self, delta: &Delta) -> (Standing, Vec<Row>) {
        let mut old: Vec<_> = delta.dropped.iter().filter_map(|key| self.rows.remove(key)).collect();
        old.extend(delta.put.iter().filter_map(|row| self.rows.put(row.clone())));
        (std::mem::replace(&mut self.standing, delta.standing.clone()), old)
    }
}
