//! Waiting for a state: readers that have seen something newer than this region has applied yet.
//!
//! A reader registers what it waits for, *then* looks whether it is there, then sleeps. Whoever applies a change makes it
//! visible, *then* wakes. So no wake-up is lost: either the reader sees the change when it looks, or it is registered when
//! the change is announced.

mod registry;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanContext;
use tokio::sync::oneshot;
use writ_contract::{ChainId, OrganizationId, ProducerName, Region, Revision, StoredText};

use registry::Registry;

/// What identifies an entity event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventName {
    /// The organization of the entity.
    pub organization: OrganizationId,
    /// The region where the event was written.
    pub origin: Region,
    /// Who wrote it.
    pub producer: ProducerName,
    /// The producer's `ce_id`.
    pub ce_id: StoredText,
}

/// What a reader waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Goal {
    /// The chain is at this revision or a later one.
    Reached(ChainId, Revision),
    /// The event is applied, or was refused.
    Decided(EventName),
}

impl Goal {
    /// The organization whose state is waited for.
    pub fn organization(&self) -> OrganizationId {
        match self {
            Self::Reached(chain, _) => chain.organization,
            Self::Decided(event) => event.organization,
        }
    }
}

/// Maximum numbers of readers that wait at a time.
#[derive(Debug, Clone, Copy)]
pub struct WaiterLimits {
    /// For one organization.
    pub per_organization: usize,
    /// For all organizations together.
    pub total: usize,
}

/// The limit of waiting readers is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait for a newer state")]
pub struct TooManyWaiting;

/// The waiting readers of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct Freshness {
    registry: Arc<Mutex<Registry>>,
    limits: WaiterLimits,
}

/// A registered reader, until it is dropped.
#[derive(Debug)]
pub struct Waiter {
    freshness: Freshness,
    goal: Goal,
    ticket: u64,
    woken: oneshot::Receiver<SpanContext>,
}

impl Freshness {
    /// Nobody waits yet.
    pub fn new(limits: WaiterLimits) -> Self {
        let registry = Arc::default();
        Self { registry, limits }
    }

    /// Registers a reader, which then looks whether the goal is reached already, and only if not awaits
    /// [`Waiter::woken`].
    ///
    /// # Errors
    /// If as many readers wait as the limits allow.
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

    /// Wakes the readers that wait for the chain to be at `revision` or an earlier one. To be called once the state is
    /// visible; `seen_in` is the span in which it became so.
    pub fn reached(&self, chain: &ChainId, revision: Revision, seen_in: &SpanContext) {
        self.lock().reached(chain, revision, seen_in);
    }

    /// Wakes the readers that wait for the event. To be called once its outcome can be looked up.
    pub fn decided(&self, event: &EventName, seen_in: &SpanContext) {
        self.lock().decided(event, seen_in);
    }

    /// Number of registered readers.
    pub fn waiting(&self) -> usize {
        self.lock().waiting()
    }

    /// A panic cannot leave the registry half-changed in a way that matters: at worst a reader stays registered.
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
