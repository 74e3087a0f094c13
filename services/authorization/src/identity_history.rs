//! The digests of an organization's identity events: what tells a repetition from a fork.

use writ_contract::identity_event::IdentityEvent;
use writ_contract::{Hash, Revision};
use writ_policy::History;
use writ_policy::digest::history_digest;
use writ_policy::history::Recollection;

/// The digests of the identity events of one organization that became change sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityHistory {
    /// Of the last event; zero before the first.
    pub digest: Hash,
    /// The last ones.
    pub recent: History,
}

impl IdentityHistory {
    /// Adds the next event.
    pub fn push(&mut self, digest: Hash) {
        self.digest = digest;
        self.recent.push(&digest);
    }

    /// Whether the event names the last one as the one before it.
    pub fn is_continued_by(&self, event: &IdentityEvent) -> bool {
        event.previous_digest == self.digest
    }

    /// Whether another event took the revision of this older one. `have` is the revision of the last event. What is too
    /// old to be remembered is taken for a repetition.
    pub fn contradicts(&self, have: Revision, event: &IdentityEvent) -> bool {
        let behind = have.number.abs_diff(event.revision.number);
        have.epoch == event.revision.epoch && self.recent.recall(behind, &event.digest) == Recollection::Different
    }
}

/// Whether the event's digest is that of its payload.
pub fn is_intact(event: &IdentityEvent) -> bool {
    history_digest(&event.previous_digest, &event.payload) == event.digest
}
