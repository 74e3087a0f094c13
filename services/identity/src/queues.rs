//! Queues in front of the database, where those that wait would hold connections that others need.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Limits of each queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    /// Turns at a time.
    pub(crate) at_a_time: usize,
    /// Those that may wait for one.
    pub(crate) most_waiting: usize,
    /// How long one waits.
    pub(crate) longest_wait: Duration,
}

/// A queue for each key, as long as somebody is in it. Clones share them.
#[derive(Debug)]
pub(crate) struct Queues<K> {
    queues: Arc<Mutex<HashMap<K, Queue>>>,
    limits: QueueLimits,
}

#[derive(Debug)]
struct Queue {
    turns: Arc<Semaphore>,
    present: usize,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<K: Key> {
    // Before the place, which may remove the queue.
    _permit: OwnedSemaphorePermit,
    _place: Place<K>,
}

/// A place in a queue.
#[derive(Debug)]
struct Place<K: Key> {
    queues: Queues<K>,
    key: K,
}

/// What tells queues apart.
pub(crate) trait Key: Hash + Eq + Copy {}

impl<K: Hash + Eq + Copy> Key for K {}

impl<K> Clone for Queues<K> {
    fn clone(&self) -> Self {
        Self { queues: self.queues.clone(), limits: self.limits }
    }
}

impl<K: Key> Queues<K> {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { queues: Arc::default(), limits }
    }

    /// Waits for a turn, in order; none if too many wait already, or this one would wait for too long.
    pub(crate) async fn take(&self, key: K) -> Option<Turn<K>> {
        let (turns, place) = self.enter(key)?;
        let permit = timeout(self.limits.longest_wait, turns.acquire_owned()).await.ok()?.ok()?;
        Some(Turn { _permit: permit, _place: place })
    }

    /// Whether nobody is in any queue.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn enter(&self, key: K) -> Option<(Arc<Semaphore>, Place<K>)> {
        let QueueLimits { at_a_time, most_waiting, .. } = self.limits;
        let mut queues = self.lock();
        let queue =
            queues.entry(key).or_insert_with(|| Queue { turns: Arc::new(Semaphore::new(at_a_time)), present: 0 });
        if queue.present >= at_a_time + most_waiting {
            return None;
        }
        queue.present += 1;
        Some((queue.turns.clone(), Place { queues: self.clone(), key }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Key> Drop for Place<K> {
    fn drop(&mut self) {
        let mut queues = self.queues.lock();
        if let Some(queue) = queues.get_mut(&self.key) {
            queue.present -= 1;
            if queue.present == 0 {
                queues.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    const LIMITS: QueueLimits = QueueLimits { at_a_time: 1, most_waiting: 8, longest_wait: Duration::from_secs(60) };

    #[tokio::test]
    async fn one_waits_for_itself_alone() {
        let queues = Queues::new(LIMITS);
        let held = queues.take(1).await.unwrap();
        let mut second = Box::pin(queues.take(1));
        assert!(futures::poll!(&mut second).is_pending());
        queues.take(2).await.unwrap();
        drop(held);
        second.await.unwrap();
        assert!(queues.is_empty());
    }

    #[tokio::test]
    async fn as_many_wait_as_may() {
        let queues = Queues::new(LIMITS);
        let held = queues.take(1).await.unwrap();
        let mut waiting: Vec<_> = (0..LIMITS.most_waiting).map(|_| Box::pin(queues.take(1))).collect();
        for wait in &mut waiting {
            assert!(futures::poll!(wait).is_pending());
        }
        assert!(queues.take(1).await.is_none());
        // Who gives up leaves a place.
        waiting.pop();
        waiting.push(Box::pin(queues.take(1)));
        drop(held);
        let taken = join_all(waiting.into_iter().map(async |wait| wait.await.is_some())).await;
        assert!(taken.into_iter().all(|taken| taken));
        assert!(queues.is_empty());
    }

    #[tokio::test]
    async fn several_have_a_turn_at_a_time() {
        let queues = Queues::new(QueueLimits { at_a_time: 2, ..LIMITS });
        let held = [queues.take(1).await, queues.take(1).await];
        let mut third = Box::pin(queues.take(1));
        assert!(futures::poll!(&mut third).is_pending());
        drop(held);
        assert!(third.await.is_some());
    }

    #[tokio::test]
    async fn nobody_waits_without_an_end() {
        let queues = Queues::new(QueueLimits { longest_wait: Duration::from_millis(1), ..LIMITS });
        let _held = queues.take(1).await.unwrap();
        assert!(queues.take(1).await.is_none());
    }

    #[tokio::test]
    async fn turns_are_taken_in_order() {
        let queues = Queues::new(LIMITS);
        let order = Mutex::new(Vec::new());
        join_all((0..LIMITS.most_waiting).map(async |number| {
            let _turn = queues.take(1).await.unwrap();
            order.lock().unwrap().push(number);
            tokio::task::yield_now().await;
        }))
        .await;
        assert_eq!(order.into_inner().unwrap(), (0..LIMITS.most_waiting).collect::<Vec<_>>());
    }
}
