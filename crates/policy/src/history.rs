//! The last digests of a chain: what tells a redelivered change set from a fork.

use std::collections::VecDeque;

use writ_contract::Hash;

/// How many revisions a chain remembers. A publisher that lost its acknowledgements sends less
/// than this again.
pub const REMEMBERED: usize = 128;

/// The first eight bytes of the digests of the last [`REMEMBERED`] revisions of the epoch.
///
/// Eight bytes are enough against accidents, and nobody but the origin's own authorization
/// service may write change sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History(VecDeque<u64>);

/// What a history says about an old change set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recollection {
    /// It was applied.
    Same,
    /// Another one was applied in its place.
    Different,
    /// It is older than what is remembered.
    Forgotten,
}

impl History {
    /// Adds the digest of the next revision.
    pub fn push(&mut self, digest: &Hash) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(prefix(digest));
    }

    /// Compares `digest` with that of the revision `behind` revisions before the last one.
    pub fn recall(&self, behind: u64, digest: &Hash) -> Recollection {
        let place = usize::try_from(behind).ok().and_then(|behind| self.0.len().checked_sub(1)?.checked_sub(behind));
        match place.and_then(|place| self.0.get(place)) {
            None => Recollection::Forgotten,
            Some(remembered) if *remembered == prefix(digest) => Recollection::Same,
            Some(_) => Recollection::Different,
        }
    }

    /// The oldest first, eight bytes each: at most one kibibyte.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|prefix| prefix.to_be_bytes()).collect()
    }

    /// Reads [`to_bytes`](Self::to_bytes). `None` if it is not that.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let chunks = bytes.chunks_exact(8);
        if !chunks.remainder().is_empty() || bytes.len() > REMEMBERED * 8 {
            return None;
        }
        Some(Self(chunks.map(big_endian).collect()))
    }
}

fn prefix(digest: &Hash) -> u64 {
    big_endian(&digest.0[..8])
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> Hash {
        Hash::of(&[&number.to_be_bytes()])
    }

    #[test]
    fn remembers_the_last_revisions_and_survives_storage() {
        let mut history = History::default();
        (0..REMEMBERED + 5).for_each(|number| history.push(&digest(number)));
        let history = History::from_bytes(&history.to_bytes()).unwrap();
        assert_eq!(history.recall(0, &digest(REMEMBERED + 4)), Recollection::Same);
        assert_eq!(history.recall(127, &digest(5)), Recollection::Same);
        assert_eq!(history.recall(127, &digest(4)), Recollection::Different);
        assert_eq!(history.recall(128, &digest(4)), Recollection::Forgotten);
        assert_eq!(history.recall(u64::MAX, &digest(4)), Recollection::Forgotten);
        assert_eq!(History::from_bytes(&[1; 9]), None);
    }
}
