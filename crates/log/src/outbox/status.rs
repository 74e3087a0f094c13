//! The status of the outbox.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Status of the outbox, at most about a second old.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct OutboxStatus {
    /// Records committed but not acknowledged, counted up to 10 000.
    pub depth: u64,
    /// Age of the oldest record.
    pub oldest: Duration,
    /// Why the publisher waits, if it does.
    pub waiting: Option<String>,
}

/// Shares the status of the publisher.
#[derive(Debug, Clone, Default)]
pub struct StatusHandle(Arc<Mutex<OutboxStatus>>);

impl StatusHandle {
    /// The current status.
    pub fn get(&self) -> OutboxStatus {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut OutboxStatus)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
