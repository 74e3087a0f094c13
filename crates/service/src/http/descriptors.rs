//! How many file descriptors the process may have.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Kept for PostgreSQL, Kafka, the operational routes and files.
const OTHERS: u64 = 256;
/// There are connections in any case.
const FEWEST: usize = 64;

/// Number of connections that the process has descriptors for, once it may have as many as it is allowed to ask for.
pub(crate) fn descriptors_for_connections() -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return usize::MAX };
    let descriptors = if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
    usize::try_from(descriptors.saturating_sub(OTHERS)).unwrap_or(usize::MAX).max(FEWEST)
}
