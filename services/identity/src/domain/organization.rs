//! Organizations.

use time::OffsetDateTime;
use uuid::Uuid;
use writ_contract::identity_event::OrganizationState;

use super::text::Text;

/// A tenant of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Never reused once the organization is deleted.
    pub id: Uuid,
    /// Display name; blank once the organization is deleted.
    pub name: Text,
    /// The user it was created for, unless erased.
    pub owner_id: Option<Uuid>,
    /// Whether its tokens are valid.
    pub state: OrganizationState,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
}
