//! What the outbox is seen to do.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the publisher last saw.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct OutboxStatus {
    /// Records committed but not acknowledged; counting ends at 10 000.
    pub depth: u64,
    /// Age of the oldest of them.
    pub oldest: Duration,
    /// Why the publisher waits, if it does.
    pub waiting: Option<String>,
}

/// The status, shared with those who show it.
#[derive(Debug, Clone, Default)]
pub struct StatusHandle(Arc<Mutex<OutboxStatus>>);

impl StatusHandle {
    /// What the publisher last saw, at most about a second ago.
    pub fn get(&self) -> OutboxStatus {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut OutboxStatus)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
