//! Recovery invitations: a way back in for active users who have no valid token left.

use writ_contract::{TokenId, UserId};

use super::PendingRevision;
use crate::error::{IdentityError, Result};

/// An active user.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Recoverable {
    /// Whether the user is an administrator.
    pub administrator: bool,
    /// The tokens of earlier recovery invitations.
    pub earlier: Vec<TokenId>,
}

/// Looks for an active user.
///
/// # Errors
/// [`IdentityError::NotFound`] when the organization has no such user; [`IdentityError::Conflict`] when the user has not
/// accepted the first invitation yet.
pub async fn find(revision: &mut PendingRevision, user: UserId) -> Result<Recoverable> {
    #[derive(sqlx::FromRow)]
    struct Found {
        active: bool,
        #[sqlx(flatten)]
        user: Recoverable,
    }
    let organization = revision.organization();
    let found: Option<Found> = sqlx::query_as(
        "SELECT p.active,
                EXISTS (SELECT FROM administrator a WHERE a.organization = $1 AND a.id = p.id) AS administrator,
                ARRAY (SELECT t.id FROM token t WHERE t.organization = $1 AND t.principal = p.id AND t.kind = 'invite') AS earlier
           FROM principal p WHERE p.organization = $1 AND p.id = $2 AND p.kind = 'user'",
    )
    .bind(organization)
    .bind(user)
    .fetch_optional(revision.connection())
    .await?;
    match found {
        None => Err(IdentityError::NotFound("user")),
        Some(Found { active: false, .. }) => {
            Err(IdentityError::Conflict("The user has not accepted an invitation yet; send another invitation instead"))
        }
        Some(Found { user, .. }) => Ok(user),
    }
}
