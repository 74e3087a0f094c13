//! Invitations: users who are not active yet, and the tokens that let them become so.

use writ_contract::{TokenId, UserId};

use super::PendingRevision;
use crate::domain::text::Email;
use crate::error::{IdentityError, Result};

/// Who an invitation is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressee {
    /// Nobody of this address.
    New,
    /// A user whose earlier invitations are over: the user, and the tokens of those invitations.
    Lapsed(UserId, Vec<TokenId>),
}

#[derive(sqlx::FromRow)]
struct Known {
    id: UserId,
    active: bool,
    open: bool,
    invites: Vec<TokenId>,
}

/// Looks for a user of this address, however it is written.
///
/// # Errors
/// [`IdentityError::Exists`] when the user is active or has an invitation that can still be accepted.
pub async fn find(revision: &mut PendingRevision, email: &Email) -> Result<Addressee> {
    let organization = revision.organization();
    let known: Option<Known> = sqlx::query_as(
        "SELECT u.id, p.active,
                EXISTS (SELECT FROM token t WHERE t.organization = $1 AND t.principal = u.id AND t.kind = 'invite' AND t.expires_at > statement_timestamp()) AS open,
                ARRAY (SELECT t.id FROM token t WHERE t.organization = $1 AND t.principal = u.id AND t.kind = 'invite') AS invites
           FROM user_account u JOIN principal p USING (organization, id)
          WHERE organization = $1 AND email_folded = $2",
    )
    .bind(organization)
    .bind(email.folded())
    .fetch_optional(revision.connection())
    .await?;
    match known {
        None => Ok(Addressee::New),
        Some(Known { id, active: true, .. }) => {
            Err(IdentityError::Exists { what: "User is already active", id: id.as_uuid() })
        }
        Some(Known { id, open: true, .. }) => {
            Err(IdentityError::Exists { what: "User is already invited", id: id.as_uuid() })
        }
        Some(known) => Ok(Addressee::Lapsed(known.id, known.invites)),
    }
}
