//! Organizations.

use time::OffsetDateTime;
use writ_contract::row::OrganizationState;
use writ_contract::{OrganizationId, UserId};

use super::text::Text;

/// A tenant of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Never reused once the organization is deleted.
    pub id: OrganizationId,
    /// Display name; blank once the organization is deleted.
    pub name: Text,
    /// The user it was created for, unless erased.
    pub owner_id: Option<UserId>,
    /// Whether its tokens are valid.
    pub state: OrganizationState,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
}
