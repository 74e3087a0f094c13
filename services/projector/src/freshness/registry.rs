//! The registered readers, by what they wait for.

use std::collections::HashMap;

use opentelemetry::trace::SpanContext;
use tokio::sync::oneshot;
use writ_contract::{ChainId, OrganizationId, Revision};

use super::{EventName, Goal, WaiterLimits};

type WakeSender = oneshot::Sender<SpanContext>;

/// Waiters by goal, and their number for each organization.
///
/// A waiter counts until it is dropped, also after it was woken, so that the counts do not depend on the order of events.
#[derive(Debug, Default)]
pub(super) struct Registry {
    next_ticket: u64,
    chains: HashMap<ChainId, HashMap<u64, (Revision, WakeSender)>>,
    events: HashMap<EventName, HashMap<u64, WakeSender>>,
    registered: HashMap<OrganizationId, usize>,
    total: usize,
}

impl Registry {
    pub(super) fn is_full(&self, organization: OrganizationId, limits: WaiterLimits) -> bool {
        let registered = self.registered.get(&organization).copied().unwrap_or(0);
        registered >= limits.per_organization || self.total >= limits.total
    }

    pub(super) fn add(&mut self, goal: &Goal, wake: WakeSender) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        match goal {
            Goal::Reached(chain, revision) => {
                let waiters = self.chains.entry(*chain).or_default();
                waiters.insert(ticket, (*revision, wake));
            }
            Goal::Decided(event) => {
                let waiters = self.events.entry(event.clone()).or_default();
                waiters.insert(ticket, wake);
            }
        }
        *self.registered.entry(goal.organization()).or_default() += 1;
        self.total += 1;
        ticket
    }

    pub(super) fn reached(&mut self, chain: &ChainId, revision: Revision, seen_in: &SpanContext) {
        let Some(waiters) = self.chains.get_mut(chain) else {
            return;
        };
        let ready = waiters.extract_if(|_, (wanted, _)| *wanted <= revision);
        // The receiver is gone if the reader has given up.
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

    /// Forgets a waiter, whether it was woken or gave up.
    pub(super) fn remove(&mut self, goal: &Goal, ticket: u64) {
        match goal {
            Goal::Reached(chain, _) => forget(&mut self.chains, chain, ticket),
            Goal::Decided(event) => forget(&mut self.events, event, ticket),
        }
        self.total = self.total.saturating_sub(1);
        let organization = goal.organization();
        if let Some(registered) = self.registered.get_mut(&organization) {
            *registered -= 1;
            if *registered == 0 {
                self.registered.remove(&organization);
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
