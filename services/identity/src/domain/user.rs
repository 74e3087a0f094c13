//! People of an organization.

use time::OffsetDateTime;
use writ_contract::{Region, UserId};

use super::text::{Email, Name, Text};

/// A person of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never reused once the user is erased.
    pub id: UserId,
    /// Unique in the organization in its folded form.
    pub email: Email,
    /// `None` until the invitation is accepted.
    pub full_name: Option<Name>,
    /// How the person wants to be called.
    pub preferred_name: Option<Text>,
    /// Whether the invitation has been accepted.
    pub active: bool,
    /// Where the person seems to live, if known.
    pub inferred_region: Option<Region>,
    /// When the user was created.
    pub created_at: OffsetDateTime,
    /// When the user last changed.
    pub updated_at: OffsetDateTime,
}
