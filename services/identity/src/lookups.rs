//! Turns to look a bearer token up. Every request begins with that, so whoever sends the most requests would have most of the
//! database's connections for readers, and everybody would wait behind them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use writ_contract::{Hash, OrganizationId};
use writ_service::http::over_quota;

use crate::error::{IdentityError, Result};
use crate::queues::{QueueLimits, Queues, Turn};

/// A quarter of the connections; a lookup takes a millisecond.
const LIMITS: QueueLimits = QueueLimits { at_a_time: 4, most_waiting: 128, longest_wait: Duration::from_secs(5) };
/// Tokens that are remembered, twice.
const REMEMBERED: usize = 50_000;

/// The turns of all organizations. Clones share them.
///
/// The organization is the one that the token claims, so anybody can stand in its queue. Tokens that were valid when they were last
/// looked up have a queue of their own, in which nobody can stand who has none.
#[derive(Debug, Clone)]
pub struct Lookups {
    queues: Queues<(OrganizationId, Standing)>,
    valid: Arc<Mutex<Generations>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Standing {
    Valid,
    Unknown,
}

/// A turn, until it is dropped.
pub struct LookupTurn {
    lookups: Lookups,
    hash: Hash,
    // Held until the lookup is over.
    _turn: Turn<(OrganizationId, Standing)>,
}

/// Hashes of tokens; those that were not seen for longest are forgotten, many at a time.
#[derive(Debug, Default)]
struct Generations {
    new: HashSet<Hash>,
    old: HashSet<Hash>,
}

impl Default for Lookups {
    fn default() -> Self {
        Self { queues: Queues::new(LIMITS), valid: Arc::default() }
    }
}

impl Lookups {
    /// Waits for a turn to look up the token with `hash`, which says that it is of `organization`.
    ///
    /// # Errors
    /// [`IdentityError::TooManyRequests`] if 128 wait already, or this one would wait for more than 5 s.
    pub async fn take(&self, organization: OrganizationId, hash: Hash) -> Result<LookupTurn> {
        let standing = if self.valid().contains(&hash) { Standing::Valid } else { Standing::Unknown };
        let turn = self.queues.take((organization, standing)).await;
        let refused = || IdentityError::TooManyRequests(Box::new(over_quota("concurrent requests")));
        Ok(LookupTurn { lookups: self.clone(), hash, _turn: turn.ok_or_else(refused)? })
    }

    fn valid(&self) -> MutexGuard<'_, Generations> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LookupTurn {
    /// Ends the turn: the token is valid.
    pub fn found(self) {
        self.lookups.valid().insert(self.hash);
    }
}

impl Generations {
    fn contains(&self, hash: &Hash) -> bool {
        self.new.contains(hash) || self.old.contains(hash)
    }

    fn insert(&mut self, hash: Hash) {
        if self.new.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> Hash {
        Hash::of(&[&number.to_be_bytes()])
    }

    #[tokio::test]
    async fn strangers_do_not_stand_in_the_way_of_valid_tokens() {
        let (lookups, organization) = (Lookups::default(), OrganizationId::generate("us".parse().unwrap()));
        lookups.take(organization, hash(0)).await.unwrap().found();
        let mut strangers = Vec::new();
        for stranger in 1..=LIMITS.at_a_time {
            strangers.push(lookups.take(organization, hash(stranger)).await.unwrap());
        }
        let mut next = Box::pin(lookups.take(organization, hash(9)));
        assert!(futures::poll!(&mut next).is_pending());
        lookups.take(organization, hash(0)).await.unwrap();
        drop(strangers);
        next.await.unwrap();
    }

    #[test]
    fn tokens_that_are_not_seen_are_forgotten() {
        let mut valid = Generations::default();
        (0..=REMEMBERED).for_each(|number| valid.insert(hash(number)));
        assert!(valid.contains(&hash(0)) && valid.contains(&hash(REMEMBERED)));
        (0..=REMEMBERED).for_each(|number| valid.insert(hash(REMEMBERED + number)));
        assert!(!valid.contains(&hash(0)) && valid.new.len() + valid.old.len() <= 2 * REMEMBERED);
    }
}
