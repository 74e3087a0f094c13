//! The directory of organizations.

use serde::{Deserialize, Serialize};

use crate::record::record;
use crate::row::OrganizationState;
use crate::{OrganizationId, Region, Revision, Timestamp};

/// Directory entry of an organization; for routing only, decisions never follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationEntry {
    /// Which organization.
    pub organization: OrganizationId,
    /// Where its identity data lives.
    pub home_region: Region,
    /// Whether it may act.
    pub state: OrganizationState,
    /// Of the change that wrote the entry.
    pub revision: Revision,
    /// Time of that change.
    pub updated_at: Timestamp,
}
record!(OrganizationEntry, "OrganizationEntry", "organization-entry.avsc");
