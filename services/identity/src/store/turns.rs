//! Turns to change an organization. Its changes are made one after the other; those that wait do so here, in order and in
//! front of the database, where they would hold connections that others need.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use writ_contract::OrganizationId;

use crate::error::{IdentityError, Result};

/// Changes of an organization that may wait for their turn.
pub const MOST_WAITING: usize = 64;
/// How long one waits.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The turns of all organizations. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<HashMap<OrganizationId, Queue>>>);

/// Exists while a change is made or waits.
#[derive(Debug)]
struct Queue {
    turn: Arc<Semaphore>,
    present: usize,
}

/// The right to change an organization, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    // Before the place, which may remove the queue.
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// A place in the queue of an organization.
#[derive(Debug)]
struct Place {
    turns: Turns,
    organization: OrganizationId,
}

impl Turns {
    /// Waits for the organization's turn.
    ///
    /// # Errors
    /// [`IdentityError::TooManyChanges`] if 64 wait already, or this one would wait for more than 5 s.
    pub async fn take(&self, organization: OrganizationId) -> Result<Turn> {
        let (turn, place) = self.enter(organization)?;
        let Ok(permit) = timeout(LONGEST_WAIT, turn.acquire_owned()).await else { return Err(refused()) };
        let permit = permit.map_err(|_| refused())?;
        Ok(Turn { _permit: permit, _place: place })
    }

    fn enter(&self, organization: OrganizationId) -> Result<(Arc<Semaphore>, Place)> {
        let mut queues = self.queues();
        let queue =
            queues.entry(organization).or_insert_with(|| Queue { turn: Arc::new(Semaphore::new(1)), present: 0 });
        if queue.present > MOST_WAITING {
            return Err(refused());
        }
        queue.present += 1;
        Ok((queue.turn.clone(), Place { turns: self.clone(), organization }))
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<OrganizationId, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused() -> IdentityError {
    metrics::counter!("writ_refused_changes_total", "limit" => "organization").increment(1);
    IdentityError::TooManyChanges
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.turns.queues();
        if let Some(queue) = queues.get_mut(&self.organization) {
            queue.present -= 1;
            if queue.present == 0 {
                queues.remove(&self.organization);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    fn organization() -> OrganizationId {
        OrganizationId::generate("us".parse().unwrap())
    }

    #[tokio::test]
    async fn one_organization_waits_for_itself_alone() {
        let (turns, one, other) = (Turns::default(), organization(), organization());
        let held = turns.take(one).await.unwrap();
        let mut second = Box::pin(turns.take(one));
        assert!(futures::poll!(&mut second).is_pending());
        turns.take(other).await.unwrap();
        drop(held);
        second.await.unwrap();
        assert!(turns.queues().is_empty());
    }

    #[tokio::test]
    async fn no_more_than_so_many_wait() {
        let (turns, one) = (Turns::default(), organization());
        let held = turns.take(one).await.unwrap();
        let mut waiting: Vec<_> = (0..MOST_WAITING).map(|_| Box::pin(turns.take(one))).collect();
        for wait in &mut waiting {
            assert!(futures::poll!(wait).is_pending());
        }
        assert!(matches!(turns.take(one).await, Err(IdentityError::TooManyChanges)));
        // Who gives up leaves a place.
        waiting.pop();
        waiting.push(Box::pin(turns.take(one)));
        drop(held);
        let taken = join_all(waiting.into_iter().map(async |wait| wait.await.is_ok())).await;
        assert!(taken.into_iter().all(|taken| taken));
        assert!(turns.queues().is_empty());
    }

    #[tokio::test]
    async fn turns_are_taken_in_order() {
        let (turns, one) = (Turns::default(), organization());
        let order = Mutex::new(Vec::new());
        join_all((0..10).map(async |number| {
            let _turn = turns.take(one).await.unwrap();
            order.lock().unwrap().push(number);
            tokio::task::yield_now().await;
        }))
        .await;
        assert_eq!(order.into_inner().unwrap(), (0..10).collect::<Vec<_>>());
    }
}
