//! The index in memory: one writer, the projection, and any number of readers.

use std::process;
use std::sync::{Arc, PoisonError, RwLock};

use writ_policy::Index;

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
        // Never poisoned: a panic of the writer ends the process.
        reader(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lends the index to the one writer. If it panics, the process aborts before anyone can read half a change;
    /// the next one starts from what is stored.
    pub fn write<T>(&self, writer: impl FnOnce(&mut Index) -> T) -> T {
        let mut index = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Dropped before the lock is released.
        let abort = AbortOnDrop;
        let result = writer(&mut index);
        std::mem::forget(abort);
        result
    }
}

struct AbortOnDrop;

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        tracing::error!("a panic left the index half-changed: aborting");
        process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIE: &str = "WRIT_TEST_PANIC_IN_WRITE";

    #[test]
    fn a_panic_of_the_writer_ends_the_process() {
        if std::env::var_os(DIE).is_some() {
            let _ = std::thread::spawn(|| SharedIndex::default().write(|_| panic!("in the middle"))).join();
            return;
        }
        let this_test = ["--exact", "index::tests::a_panic_of_the_writer_ends_the_process"];
        let this_binary = std::env::current_exe().unwrap();
        let run = |child: &mut process::Command| child.args(this_test).output().unwrap().status;
        assert!(!run(process::Command::new(&this_binary).env(DIE, "1")).success());
    }
}
