//! The rule that an organization keeps an active administrator.

use super::PendingRevision;
use crate::error::{IdentityError, Result};

/// Rejects a revision that would leave the organization without an active user who holds
/// Identity · Admin.
///
/// # Errors
/// [`IdentityError::Conflict`] when there would be none.
pub async fn must_remain(revision: &mut PendingRevision) -> Result<()> {
    let organization = revision.organization();
    let remains: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM administrator a
           JOIN principal p ON p.organization = a.organization AND p.id = a.id
          WHERE a.organization = $1 AND p.kind = 'user' AND p.active)",
    )
    .bind(organization)
    .fetch_one(revision.connection())
    .await?;
    if remains { Ok(()) } else { Err(IdentityError::Conflict("An organization must keep one active administrator")) }
}
