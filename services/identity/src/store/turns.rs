//! Turns to change an organization: its changes are made one after the other.

use std::time::Duration;

use writ_contract::OrganizationId;

use crate::error::{IdentityError, Result};
use crate::queues::{QueueLimits, Queues, Turn};

/// Changes of an organization that may wait for their turn.
pub const MOST_WAITING: usize = 64;
/// How long one waits.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The turns of all organizations. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct ChangeTurns(Queues<OrganizationId>);

/// The right to change an organization, until it is dropped.
pub(super) type ChangeTurn = Turn<OrganizationId>;

impl Default for ChangeTurns {
    fn default() -> Self {
        let limits = QueueLimits { at_a_time: 1, most_waiting: MOST_WAITING, longest_wait: LONGEST_WAIT };
        Self(Queues::new(limits))
    }
}

impl ChangeTurns {
    /// Waits for the organization's turn.
    ///
    /// # Errors
    /// [`IdentityError::TooManyChanges`] if 64 wait already, or this one would wait for more than 5 s.
    pub(super) async fn take(&self, organization: OrganizationId) -> Result<ChangeTurn> {
        self.0.take(organization).await.ok_or_else(|| {
            metrics::counter!("writ_refused_changes_total", "limit" => "organization").increment(1);
            IdentityError::TooManyChanges
        })
    }
}
