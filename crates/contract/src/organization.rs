//! The directory of organizations.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;
use crate::identity_event::OrganizationState;
use crate::record::record;

/// Directory entry of an organization; for routing only, decisions never follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationEntry {
    /// Which organization.
    pub organization: Uuid,
    /// Where its identity data lives.
    pub home_region: String,
    /// Whether it may act.
    pub state: OrganizationState,
    /// Epoch of the change that wrote the entry.
    pub epoch: i64,
    /// Revision of the change that wrote the entry.
    pub revision: i64,
    /// Time of that change.
    pub updated_at: Timestamp,
}
record!(OrganizationEntry, "OrganizationEntry", "organization-entry.avsc");
