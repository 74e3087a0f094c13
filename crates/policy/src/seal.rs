//! How authorization makes a change set: the same operations, the same digests as wherever it
//! is applied.

use writ_contract::actor::{Actor, Cause};
use writ_contract::policy_change::{ChangeSet, Operation, PolicyOps};
use writ_contract::{CodecError, Revision, StoredText, Timestamp, encode};

use crate::apply::{KNOWN_FEATURES, advance, carry_out};
use crate::delta::Delta;
use crate::digest::history_digest;
use crate::halt::Halt;
use crate::state::Chain;

/// What a change set says besides its operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The event's, for identity; [`Chain::next`], for entities.
    pub revision: Revision,
    /// The event's, for identity; [`Chain::next_committed_at`], for entities.
    pub committed_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What asked for it.
    pub cause: Option<Cause>,
    /// The id of the HTTP request, if there was one.
    pub request_id: Option<StoredText>,
    /// Why an entity event was refused; there must be no operations then.
    pub rejected: Option<StoredText>,
}

/// Why a change set cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It does not directly continue the chain.
    #[error("the chain is at {have}, not just before {wanted}")]
    NotNext {
        /// Where the chain is.
        have: Revision,
        /// Where the change set would be.
        wanted: Revision,
    },
    /// The chain is halted.
    #[error("the chain is halted: {0}")]
    Halted(Halt),
    /// The organization's home is another region.
    #[error("the organization's home is another region")]
    ForeignOrigin,
    /// The operations do not fit their schema.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Makes the next change set of a chain, and what it changes. Changes nothing itself.
///
/// # Errors
/// When the change set does not directly continue the chain, or the chain is halted for another reason than a gap.
pub fn seal(chain: &Chain, header: Header, ops: Vec<Operation>) -> Result<(ChangeSet, Delta), SealError> {
    if let Some(halt) = chain.standing().halt.filter(|halt| *halt != Halt::Gap) {
        return Err(SealError::Halted(halt));
    }
    if header.revision != chain.next() {
        return Err(SealError::NotNext { have: chain.revision(), wanted: header.revision });
    }
    let ops = PolicyOps { ops };
    let payload = encode(&ops)?;
    let previous_digest = chain.head().digest;
    let digest = history_digest(&previous_digest, &payload);
    let delta = advance(chain, header.revision, digest, header.committed_at, carry_out(chain, &ops));
    let set = ChangeSet {
        organization: chain.id().organization,
        stream: chain.id().stream,
        revision: header.revision,
        previous_digest,
        digest,
        state_digest: delta.head().state_digest,
        committed_at: header.committed_at,
        actor: header.actor,
        cause: header.cause,
        request_id: header.request_id,
        rejected: header.rejected,
        features: KNOWN_FEATURES,
        part: 0,
        parts: 1,
        payload,
    };
    Ok((set, delta))
}
