//! A secondary index: which keys belong to a value.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// A set of pairs, read by their first half.
#[derive(Debug, Clone)]
pub(crate) struct Pairs<A, B>(HashMap<A, BTreeSet<B>>);

impl<A, B> Default for Pairs<A, B> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<A: Eq + Hash, B: Ord> Pairs<A, B> {
    pub(crate) fn insert(&mut self, first: A, second: B) {
        self.0.entry(first).or_default().insert(second);
    }

    pub(crate) fn remove(&mut self, first: &A, second: &B) {
        let Some(seconds) = self.0.get_mut(first) else { return };
        seconds.remove(second);
        if seconds.is_empty() {
            self.0.remove(first);
        }
    }

    /// The second halves of the pairs that begin with `first`, sorted.
    pub(crate) fn of<'a>(&'a self, first: &A) -> impl Iterator<Item = &'a B> + use<'a, A, B> {
        self.0.get(first).into_iter().flatten()
    }
}
