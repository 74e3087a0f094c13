//! Whether and how a change set applies: one function, for memory and PostgreSQL, for every
//! projector and for authorization itself.

use writ_contract::policy_change::{ChangeSet, Head, PolicyOps};
use writ_contract::{ChainId, Hash, Timestamp};

use crate::digest::{StateDigest, history_digest};
use crate::draft::Draft;
use crate::halt::Halt;
use crate::history::Recollection;
use crate::row::{Row, RowKey};
use crate::state::{Chain, Position, Standing};

/// The feature bits that this build knows: none are assigned yet.
pub const KNOWN_FEATURES: i64 = 0;

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
    pub fn chain(&self) -> &ChainId {
        &self.standing.head.chain
    }
}

/// What became of a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It applies.
    Applied(Delta),
    /// It was applied before.
    Duplicate,
    /// It does not apply, and the chain stands still.
    Halted {
        /// Why the chain stands still; not always on account of this change set.
        halt: Halt,
        /// Whether the change set lies above what was applied, and is therefore to be kept.
        newer: bool,
        /// The chain's standing; no rows.
        delta: Delta,
    },
    /// It claims an organization whose identity data comes from another region.
    ForeignOrigin {
        /// The region it comes from.
        home: String,
    },
}

impl Verdict {
    /// What is to be made and written, if anything.
    pub fn delta(&self) -> Option<&Delta> {
        match self {
            Self::Applied(delta) | Self::Halted { delta, .. } => Some(delta),
            Self::Duplicate | Self::ForeignOrigin { .. } => None,
        }
    }
}

/// Decides whether and how a change set of the chain applies. Changes nothing.
///
/// `ops` are the decoded payload. The chain applies only what directly continues it, and only
/// if both digests come out as its writer said.
pub fn judge(chain: &Chain, set: &ChangeSet, ops: &PolicyOps) -> Verdict {
    let position = Position { epoch: set.epoch, revision: set.revision };
    if position <= chain.position() {
        return judge_old(chain, position, &set.digest);
    }
    if let Some(halt) = obstacle(chain, position, set) {
        return halted(chain, halt, position);
    }
    let draft = carry_out(chain, ops);
    if Hash::from(draft.digest()) != set.state_digest {
        return halted(chain, Halt::StateMismatch, position);
    }
    Verdict::Applied(advance(chain, position, set.digest, set.committed_at, draft))
}

/// A change set at or below the head: the same again, or another history.
fn judge_old(chain: &Chain, position: Position, digest: &Hash) -> Verdict {
    let have = chain.position();
    if position.epoch < have.epoch {
        return Verdict::Duplicate;
    }
    match chain.standing().history.recall(have.revision.abs_diff(position.revision), digest) {
        Recollection::Same | Recollection::Forgotten => Verdict::Duplicate,
        Recollection::Different => {
            Verdict::Halted { halt: Halt::Fork, newer: false, delta: chain.halted(Some(Halt::Fork), position) }
        }
    }
}

/// What keeps a newer change set from being applied, before its operations are looked at.
fn obstacle(chain: &Chain, position: Position, set: &ChangeSet) -> Option<Halt> {
    if let Some(halt) = chain.standing().halt.filter(|halt| *halt != Halt::Gap) {
        return Some(halt);
    }
    if position != chain.next() {
        return Some(Halt::Gap);
    }
    if set.parts != 1 {
        return Some(Halt::SeveralParts);
    }
    if set.previous_digest != chain.head().digest {
        return Some(Halt::Fork);
    }
    if history_digest(&set.previous_digest, &set.payload) != set.digest {
        return Some(Halt::DigestMismatch);
    }
    (set.features & !KNOWN_FEATURES != 0).then_some(Halt::UnknownFeature)
}

fn halted(chain: &Chain, halt: Halt, seen: Position) -> Verdict {
    Verdict::Halted { halt, newer: true, delta: chain.halted(Some(halt), seen) }
}

/// The operations carried out beside the chain's rows.
pub(crate) fn carry_out<'a>(chain: &'a Chain, ops: &PolicyOps) -> Draft<'a> {
    let mut draft = Draft::new(chain.rows(), StateDigest::from(chain.head().state_digest));
    ops.ops.iter().cloned().for_each(|operation| draft.execute(operation));
    draft
}

/// The chain one change set further. A gap is closed once all that was seen is applied.
pub(crate) fn advance(
    chain: &Chain,
    position: Position,
    digest: Hash,
    committed_at: Timestamp,
    draft: Draft<'_>,
) -> Delta {
    let mut standing = chain.standing().clone();
    standing.head.epoch = position.epoch;
    standing.head.revision = position.revision;
    standing.head.digest = digest;
    standing.head.state_digest = draft.digest().into();
    standing.history.push(&digest);
    standing.committed_at = committed_at;
    standing.seen = standing.seen.max(position);
    let halt = standing.halt.filter(|_| standing.seen > position);
    standing.set_halt(halt, draft.organization());
    let (put, dropped) = draft.into_changes();
    Delta { standing, put, dropped }
}

#[cfg(test)]
mod tests;
