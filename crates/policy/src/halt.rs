//! Why a chain does not move on.

use std::fmt;
use std::str::FromStr;

use writ_contract::policy_change::ChainState;

/// Why a chain does not move on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Halt {
    /// A change set came whose predecessor did not.
    Gap,
    /// A change set does not continue, or replaces a part of, what was applied.
    Fork,
    /// A change set's digest is not that of its payload.
    DigestMismatch,
    /// Applying a change set does not lead to the state its writer had.
    StateMismatch,
    /// A change set has a feature bit that this build does not know.
    UnknownFeature,
    /// A change set comes in several parts, which this build does not know.
    SeveralParts,
    /// A record that this build cannot decode.
    Unreadable,
    /// A change set has too many operations, or would lead to more rows than its chain or region may have.
    LimitExceeded,
}

impl Halt {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Gap,
        Self::Fork,
        Self::DigestMismatch,
        Self::StateMismatch,
        Self::UnknownFeature,
        Self::SeveralParts,
        Self::Unreadable,
        Self::LimitExceeded,
    ];

    /// Its name in SQL, status and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Fork => "fork",
            Self::DigestMismatch => "digest_mismatch",
            Self::StateMismatch => "state_mismatch",
            Self::UnknownFeature => "unknown_feature",
            Self::SeveralParts => "several_parts",
            Self::Unreadable => "unreadable",
            Self::LimitExceeded => "limit_exceeded",
        }
    }

    /// Stopped if the data is to blame and a snapshot helps; parked if it is this build or its settings.
    pub fn state(self) -> ChainState {
        match self {
            Self::Gap | Self::Fork | Self::DigestMismatch | Self::StateMismatch => ChainState::Stopped,
            Self::UnknownFeature | Self::SeveralParts | Self::Unreadable | Self::LimitExceeded => ChainState::Parked,
        }
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no [`Halt`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a reason to halt")]
pub struct UnknownHalt;

impl FromStr for Halt {
    type Err = UnknownHalt;

    fn from_str(text: &str) -> Result<Self, UnknownHalt> {
        Self::ALL.into_iter().find(|halt| halt.as_str() == text).ok_or(UnknownHalt)
    }
}
