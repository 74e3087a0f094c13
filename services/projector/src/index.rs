//! Who holds the current index: one writer, the projection, and every request as a reader.

use std::sync::{Arc, RwLock};

use writ_policy::Index;

/// The index in memory. Clones share it. It may be ahead of PostgreSQL, never behind.
///
/// Nobody awaits while holding it: it is lent to a closure.
#[derive(Debug, Clone, Default)]
pub struct SharedIndex(Arc<RwLock<Index>>);

/// The writer died in the middle of a change. The process is about to end; until then nothing is
/// decided on what may be half a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the index was left half-changed")]
pub struct HalfChanged;

impl SharedIndex {
    /// Shares an index.
    pub fn new(index: Index) -> Self {
        Self(Arc::new(RwLock::new(index)))
    }

    /// Lends the index to a reader, who sees all of a change set or nothing of it.
    ///
    /// # Errors
    /// [`HalfChanged`].
    pub fn read<T>(&self, reader: impl FnOnce(&Index) -> T) -> Result<T, HalfChanged> {
        self.0.read().map(|index| reader(&index)).map_err(|_| HalfChanged)
    }

    /// Lends the index to the one writer.
    ///
    /// # Panics
    /// When the writer has panicked before: its process must end.
    #[expect(clippy::panic, reason = "the one writer cannot go on from half a change")]
    pub fn write<T>(&self, writer: impl FnOnce(&mut Index) -> T) -> T {
        match self.0.write() {
            Ok(mut index) => writer(&mut index),
            Err(_) => panic!("the index was left half-changed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_from_half_a_change() {
        let index = SharedIndex::default();
        assert!(index.read(|_| ()).is_ok());
        let writer = index.clone();
        let died = std::thread::spawn(move || writer.write(|_| panic!("in the middle"))).join();
        assert!(died.is_err());
        assert_eq!(index.read(|_| ()), Err(HalfChanged));
    }
}
