//! A secondary index: which keys belong to a value.

use std::collections::BTreeSet;

/// A sorted set of pairs, read by their first half.
#[derive(Debug, Clone)]
pub(crate) struct Pairs<A, B>(BTreeSet<(A, B)>);

impl<A, B> Default for Pairs<A, B> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<A: Ord + Clone, B: Ord + Clone + Default> Pairs<A, B> {
    pub(crate) fn insert(&mut self, first: A, second: B) {
        self.0.insert((first, second));
    }

    pub(crate) fn remove(&mut self, first: A, second: B) {
        self.0.remove(&(first, second));
    }

    /// The second halves of the pairs that begin with `first`. The default of `B` must be its
    /// least value.
    pub(crate) fn of(&self, first: A) -> impl Iterator<Item = &B> {
        self.0.range((first.clone(), B::default())..).take_while(move |pair| pair.0 == first).map(|pair| &pair.1)
    }
}
