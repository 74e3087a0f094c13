//! The index in memory: one writer, the projection, and any number of readers.

use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::{Arc, PoisonError, RwLock};

use writ_policy::{Delta, Index};

/// The index in memory. Clones share it. It may be ahead of PostgreSQL, never behind.
///
/// It is lent to closures, so that nobody awaits while holding it.
#[derive(Debug, Clone, Default)]
pub struct SharedIndex(Arc<RwLock<Index>>);

impl SharedIndex {
    /// Shares an index.
    pub fn new(index: Index) -> Self {
        Self(Arc::new(RwLock::new(index)))
    }

    /// Lends the index to a reader, who sees all of a change set or nothing of it.
    pub fn read<T>(&self, reader: impl FnOnce(&Index) -> T) -> T {
        // A panic of the writer leaves it as it was.
        reader(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lends the index to the one writer. A panic while a change is worked out leaves the index as it was. Should one
    /// happen while a change is made, the process aborts before anyone can read half of it; the next one starts from
    /// what is stored.
    pub fn write<T>(&self, writer: impl FnOnce(&mut Index) -> T) -> T {
        let mut index = self.0.write().unwrap_or_else(PoisonError::into_inner);
        panic::catch_unwind(AssertUnwindSafe(|| writer(&mut index))).unwrap_or_else(|cause| {
            if index.is_half_changed() {
                tracing::error!("a panic left the index half-changed: aborting");
                process::abort();
            }
            panic::resume_unwind(cause)
        })
    }

    /// Takes back changes, given in the order in which they were made.
    pub fn take_back(&self, deltas: Vec<Delta>) {
        self.write(|index| deltas.into_iter().rev().for_each(|delta| index.take_back(delta)));
    }
}

#[cfg(test)]
mod tests {
    use writ_contract::{ChainId, OrganizationId, Region, Stream};
    use writ_policy::Halt;

    use super::*;

    fn chain() -> ChainId {
        let origin: Region = "us".parse().unwrap();
        ChainId { organization: OrganizationId::from_parts(origin, 1, 1), origin, stream: Stream::Entities }
    }

    #[test]
    fn a_panic_of_the_writer_leaves_the_index_usable() {
        let index = SharedIndex::default();
        index.write(|index| index.halt(&chain(), Halt::Gap, None));
        let writer = index.clone();
        let panicked = std::thread::spawn(move || writer.write(|_| panic!("in the middle"))).join();
        assert!(panicked.is_err());
        index.write(|index| index.halt(&chain(), Halt::Fork, None));
        assert_eq!(index.read(|index| index.chain(&chain()).unwrap().standing().halt), Some(Halt::Fork));
    }

    #[test]
    fn what_is_taken_back_is_gone() {
        let index = SharedIndex::default();
        let first = index.write(|index| index.halt(&chain(), Halt::Gap, None));
        let second = index.write(|index| index.halt(&chain(), Halt::Fork, None));
        index.take_back(vec![second]);
        assert_eq!(index.read(|index| index.chain(&chain()).unwrap().standing().halt), Some(Halt::Gap));
        index.take_back(vec![first]);
        assert!(index.read(|index| index.chain(&chain()).is_none()));
    }
}
