//! Waiting for a state: readers that have seen something newer than this region has applied yet.
//!
//! A reader registers what it waits for, *then* looks whether it is there, then sleeps. Whoever
//! applies a change makes it visible, *then* wakes. So no wake-up is lost: either the reader sees
//! the change when it looks, or it is registered when the change is announced.

mod registry;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanContext;
use tokio::sync::oneshot;
use uuid::Uuid;
use writ_contract::ChainId;

use registry::Registry;

/// Where a chain stands: epoch, then revision.
pub type Place = (i64, i64);

/// An entity event as its producer names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventName {
    /// The organization of the entity.
    pub organization: Uuid,
    /// The region whose log holds the event.
    pub origin: String,
    /// Its `ce_source`.
    pub source: String,
    /// Its `ce_id`.
    pub id: String,
}

/// What a reader waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Goal {
    /// The chain stands at this place or after it.
    Reached(ChainId, Place),
    /// The event is applied, or was refused.
    Decided(EventName),
}

impl Goal {
    /// Whose state is waited for.
    pub fn organization(&self) -> Uuid {
        match self {
            Self::Reached(chain, _) => chain.organization,
            Self::Decided(event) => event.organization,
        }
    }
}

/// So many readers may wait at a time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For one organization.
    pub per_organization: usize,
    /// For all together.
    pub total: usize,
}

/// Too many readers wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait for a newer state")]
pub struct TooManyWaiting;

/// Everyone who waits in this process. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub struct Freshness {
    registry: Arc<Mutex<Registry>>,
    limits: Limits,
}

/// A reader's place in the registry; leaving it (by dropping) frees it.
#[derive(Debug)]
pub struct Waiter {
    freshness: Freshness,
    goal: Goal,
    ticket: u64,
    woken: oneshot::Receiver<SpanContext>,
}

impl Freshness {
    /// An empty registry.
    pub fn new(limits: Limits) -> Self {
        let registry = Arc::default();
        Self { registry, limits }
    }

    /// Takes a place. The caller then looks whether the goal is reached already, and only if
    /// not awaits [`Waiter::woken`].
    ///
    /// # Errors
    /// When the organization's places, or all places, are taken.
    pub fn register(&self, goal: Goal) -> Result<Waiter, TooManyWaiting> {
        let (wake, woken) = oneshot::channel();
        let mut registry = self.lock();
        if registry.is_full(goal.organization(), self.limits) {
            return Err(TooManyWaiting);
        }
        let ticket = registry.add(&goal, wake);
        drop(registry);
        let freshness = self.clone();
        Ok(Waiter { freshness, goal, ticket, woken })
    }

    /// Wakes who waits for the chain to reach `place` or less. Call it once the state is visible;
    /// `seen_in` is the span in which it became so.
    pub fn reached(&self, chain: &ChainId, place: Place, seen_in: &SpanContext) {
        self.lock().reached(chain, place, seen_in);
    }

    /// Wakes who waits for the event. Call it once its outcome can be looked up.
    pub fn decided(&self, event: &EventName, seen_in: &SpanContext) {
        self.lock().decided(event, seen_in);
    }

    /// How many readers wait now.
    pub fn waiting(&self) -> usize {
        self.lock().waiting()
    }

    /// A panic cannot leave the registry half-changed in a way that matters: at worst a place
    /// stays taken.
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// Returns once the goal is announced, with the span in which it was reached.
    pub async fn woken(&mut self) -> SpanContext {
        // The sender is never dropped before it has fired: only this waiter's own drop removes it.
        (&mut self.woken).await.unwrap_or(SpanContext::NONE)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.freshness.lock().remove(&self.goal, self.ticket);
    }
}

#[cfg(test)]
mod tests;
