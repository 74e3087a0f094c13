//! Holders of bearer tokens.

use writ_contract::row::TokenKind;
use writ_contract::{Hash, OrganizationId, TokenId, UserId};

use super::Store;
use crate::error::{IdentityError, Result};

/// The holder of a valid token.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenHolder {
    /// The organization the token belongs to; it is active.
    pub organization: OrganizationId,
    /// The user the token stands for.
    pub user: UserId,
    /// Id of the token.
    pub token: TokenId,
    /// Whether the principal is active and holds Identity · Admin now.
    pub administrator: bool,
}

impl Store {
    /// The active principal whose token has this hash.
    ///
    /// # Errors
    /// [`IdentityError::Unauthenticated`] when there is none, or the token is not valid now.
    pub async fn holder(&self, hash: &Hash) -> Result<TokenHolder> {
        self.find_holder(hash, TokenKind::Personal, true).await
    }

    /// The user invited with the token that has this hash, who is not active yet.
    ///
    /// # Errors
    /// [`IdentityError::Unauthenticated`] when there is none, or the invitation is not valid now.
    pub async fn invited(&self, hash: &Hash) -> Result<TokenHolder> {
        self.find_holder(hash, TokenKind::Invite, false).await
    }

    async fn find_holder(&self, hash: &Hash, kind: TokenKind, active: bool) -> Result<TokenHolder> {
        sqlx::query_as(
            "SELECT t.organization, t.principal AS \"user\", t.id AS token,
                    EXISTS (SELECT FROM administrator a WHERE a.organization = t.organization AND a.id = t.principal) AS administrator
               FROM token t
               JOIN organization o ON o.id = t.organization AND o.state = 'active'
               JOIN principal p ON p.organization = t.organization AND p.id = t.principal AND p.active = $3
              WHERE t.hash = $1 AND t.kind = $2 AND t.revoked_at IS NULL AND t.expires_at > now()",
        )
        .bind(hash)
        .bind(kind)
        .bind(active)
        .fetch_optional(&self.pool)
        .await?
        .ok_or(IdentityError::Unauthenticated)
    }
}
