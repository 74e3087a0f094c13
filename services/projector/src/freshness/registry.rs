//! Who waits for what.

use std::collections::HashMap;

use opentelemetry::trace::SpanContext;
use tokio::sync::oneshot;
use uuid::Uuid;
use writ_contract::ChainId;

use super::{EventName, Goal, Limits, Place};

type Wake = oneshot::Sender<SpanContext>;

/// Waiters by goal, and how many places each organization has taken.
///
/// A place is taken until the waiter is dropped, also after it was woken, so that the counts
/// never depend on who comes first.
#[derive(Debug, Default)]
pub(super) struct Registry {
    next_ticket: u64,
    chains: HashMap<ChainId, HashMap<u64, (Place, Wake)>>,
    events: HashMap<EventName, HashMap<u64, Wake>>,
    taken: HashMap<Uuid, usize>,
    total: usize,
}

impl Registry {
    pub(super) fn is_full(&self, organization: Uuid, limits: Limits) -> bool {
        let taken = self.taken.get(&organization).copied().unwrap_or(0);
        taken >= limits.per_organization || self.total >= limits.total
    }

    pub(super) fn add(&mut self, goal: &Goal, wake: Wake) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        match goal {
            Goal::Reached(chain, place) => {
                let waiters = self.chains.entry(chain.clone()).or_default();
                waiters.insert(ticket, (*place, wake));
            }
            Goal::Decided(event) => {
                let waiters = self.events.entry(event.clone()).or_default();
                waiters.insert(ticket, wake);
            }
        }
        *self.taken.entry(goal.organization()).or_default() += 1;
        self.total += 1;
        ticket
    }

    pub(super) fn reached(&mut self, chain: &ChainId, place: Place, seen_in: &SpanContext) {
        let Some(waiters) = self.chains.get_mut(chain) else {
            return;
        };
        let ready = waiters.extract_if(|_, (wanted, _)| *wanted <= place);
        // A receiver that is gone has given up; nobody is left to tell.
        for (_, (_, wake)) in ready {
            let _ = wake.send(seen_in.clone());
        }
        if waiters.is_empty() {
            self.chains.remove(chain);
        }
    }

    pub(super) fn decided(&mut self, event: &EventName, seen_in: &SpanContext) {
        let waiters = self.events.remove(event).unwrap_or_default();
        for wake in waiters.into_values() {
            let _ = wake.send(seen_in.clone());
        }
    }

    /// Frees a place, whether its waiter was woken or gave up.
    pub(super) fn remove(&mut self, goal: &Goal, ticket: u64) {
        match goal {
            Goal::Reached(chain, _) => forget(&mut self.chains, chain, ticket),
            Goal::Decided(event) => forget(&mut self.events, event, ticket),
        }
        self.total = self.total.saturating_sub(1);
        let organization = goal.organization();
        if let Some(taken) = self.taken.get_mut(&organization) {
            *taken -= 1;
            if *taken == 0 {
                self.taken.remove(&organization);
            }
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.total
    }
}

fn forget<K: std::hash::Hash + Eq, W>(goals: &mut HashMap<K, HashMap<u64, W>>, goal: &K, ticket: u64) {
    if let Some(waiters) = goals.get_mut(goal) {
        waiters.remove(&ticket);
        if waiters.is_empty() {
            goals.remove(goal);
        }
    }
}
