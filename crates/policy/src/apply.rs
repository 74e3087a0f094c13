//! Whether and how a change set applies: one function, for memory and PostgreSQL, for every
//! projector and for authorization itself.

use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::{Hash, Revision, Timestamp};

use crate::delta::Delta;
use crate::digest::{StateDigest, history_digest};
use crate::draft::Draft;
use crate::halt::Halt;
use crate::history::Recollection;
use crate::state::Chain;

/// The feature bits that this build knows: none are assigned yet.
pub const KNOWN_FEATURES: i64 = 0;

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
    /// It claims the identity data of an organization whose home is another region.
    ForeignOrigin,
    /// It would begin a chain, and its region has as many as it may.
    TooManyChains,
}

impl Verdict {
    /// What is to be made and written, if anything.
    pub fn delta(&self) -> Option<&Delta> {
        match self {
            Self::Applied(delta) | Self::Halted { delta, .. } => Some(delta),
            Self::Duplicate | Self::ForeignOrigin | Self::TooManyChains => None,
        }
    }

    pub(crate) fn delta_mut(&mut self) -> Option<&mut Delta> {
        match self {
            Self::Applied(delta) | Self::Halted { delta, .. } => Some(delta),
            Self::Duplicate | Self::ForeignOrigin | Self::TooManyChains => None,
        }
    }
}

/// Decides whether and how a change set of the chain applies. Changes nothing.
///
/// `ops` are the decoded payload. The chain applies only what directly continues it, and only
/// if both digests come out as its writer said.
pub fn judge(chain: &Chain, set: &ChangeSet, ops: &PolicyOps) -> Verdict {
    if let Some(verdict) = judge_envelope(chain, set) {
        return verdict;
    }
    let draft = carry_out(chain, ops);
    if Hash::from(draft.digest()) != set.state_digest {
        return halted(chain, Halt::StateMismatch, set.revision);
    }
    Verdict::Applied(advance(chain, set.revision, set.digest, set.committed_at, draft))
}

/// As [`judge`], for a change set whose payload this build cannot decode: it never applies.
pub fn judge_undecodable(chain: &Chain, set: &ChangeSet) -> Verdict {
    judge_envelope(chain, set).unwrap_or_else(|| halted(chain, Halt::Unreadable, set.revision))
}

/// As [`judge`], for a change set with more operations than one may have: it never applies.
pub(crate) fn judge_oversized(chain: &Chain, set: &ChangeSet) -> Verdict {
    judge_envelope(chain, set).unwrap_or_else(|| over_limit(chain, set.revision))
}

/// The chain stands still, because it would grow beyond what it or its region may have.
pub(crate) fn over_limit(chain: &Chain, seen: Revision) -> Verdict {
    halted(chain, Halt::LimitExceeded, seen)
}

/// The verdict on a change set that does not depend on its operations. `None` if they decide.
fn judge_envelope(chain: &Chain, set: &ChangeSet) -> Option<Verdict> {
    if set.revision <= chain.revision() {
        return Some(judge_old(chain, set.revision, &set.digest));
    }
    obstacle(chain, set).map(|halt| halted(chain, halt, set.revision))
}

/// A change set at or below the head: the same again, or another history.
fn judge_old(chain: &Chain, revision: Revision, digest: &Hash) -> Verdict {
    let have = chain.revision();
    if revision.epoch < have.epoch {
        return Verdict::Duplicate;
    }
    match chain.standing().history.recall(have.number.abs_diff(revision.number), digest) {
        Recollection::Same | Recollection::Forgotten => Verdict::Duplicate,
        Recollection::Different => {
            Verdict::Halted { halt: Halt::Fork, newer: false, delta: chain.halted(Some(Halt::Fork), revision) }
        }
    }
}

/// What keeps a newer change set from being applied, before its operations are looked at.
fn obstacle(chain: &Chain, set: &ChangeSet) -> Option<Halt> {
    if let Some(halt) = chain.standing().halt.filter(|halt| *halt != Halt::Gap) {
        return Some(halt);
    }
    if set.revision != chain.next() {
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

fn halted(chain: &Chain, halt: Halt, seen: Revision) -> Verdict {
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
    revision: Revision,
    digest: Hash,
    committed_at: Timestamp,
    draft: Draft<'_>,
) -> Delta {
    let mut standing = chain.standing().clone();
    standing.head.revision = revision;
    standing.head.digest = digest;
    standing.head.state_digest = draft.digest().into();
    standing.history.push(&digest);
    standing.committed_at = committed_at;
    standing.seen = standing.seen.max(revision);
    let halt = standing.halt.filter(|_| standing.seen > revision);
    standing.set_halt(halt, draft.organization());
    let (put, dropped) = draft.into_changes();
    Delta::new(standing, put, dropped)
}

#[cfg(test)]
mod tests;
