//! Chains: the sequences of change sets of an organization.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::names;
use crate::{OrganizationId, Region};

names! {
    /// Which of an organization's two kinds of change sets a chain holds.
    #[derive(PartialOrd, Ord)]
    Stream {
        /// What follows from the organization's identity data; from its home region only.
        Identity = "identity",
        /// The regional entities announced in the origin region.
        Entities = "entities",
    }
}

/// One sequence of change sets: an organization, the region it comes from and the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChainId {
    /// The organization the chain belongs to.
    pub organization: OrganizationId,
    /// The region the chain comes from.
    pub origin: Region,
    /// Identity or entities.
    pub stream: Stream,
}

impl ChainId {
    /// Whether the origin may write this chain at all: identity chains come from the organization's home only.
    pub fn is_legitimate(&self) -> bool {
        self.stream == Stream::Entities || self.organization.may_come_from(self.origin)
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.organization, self.origin, self.stream)
    }
}

/// A place in a chain; later epochs come after all revisions of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Revision {
    /// Begins at 1 and grows only after a restore from backup.
    pub epoch: i64,
    /// Contiguous within the epoch, from 1.
    pub number: i64,
}

impl Revision {
    /// Before the first change set.
    pub const START: Self = Self { epoch: 1, number: 0 };

    /// The revision `number` of the first epoch.
    pub const fn first_epoch(number: i64) -> Self {
        Self { epoch: 1, number }
    }

    /// The only place at which the next change set may stand.
    pub fn next(self) -> Self {
        Self { epoch: self.epoch, number: self.number.saturating_add(1) }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.number)
    }
}
