//! Holders of bearer tokens, and by what right they make a change.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use writ_contract::row::TokenKind;
use writ_contract::{Hash, OrganizationId, StoredText, TokenId, UserId};

use super::Store;
use super::revision::{Author, Next, PendingRevision, next_columns};
use crate::domain::answer::RepeatableRequest;
use crate::error::{IdentityError, Result};

const ADMINISTRATORS_ONLY: IdentityError =
    IdentityError::Forbidden("You must have the [Identity Admin] role to perform this action");

/// The statement that finds the holder of a token: what it reads besides, and where it finds organizations `o`.
macro_rules! holder {
    ($besides:expr, $columns:expr, $organizations:expr) => {
        concat!(
            "SELECT t.organization, t.principal AS \"user\", t.id AS token, t.expires_at, t.last_used_at, t.hash, t.kind, p.active,
                    EXISTS (SELECT FROM administrator a WHERE a.organization = t.organization AND a.id = t.principal)
                        AS administrator,
                    (SELECT maximum FROM quota q WHERE q.organization = t.organization AND q.resource = 'requests_per_second')
                        AS request_rate",
            $besides,
            $columns,
            " FROM token t JOIN ",
            $organizations,
            " o ON o.id = t.organization AND o.state = 'active'
              JOIN principal p ON p.organization = t.organization AND p.id = t.principal AND p.active = $3
             WHERE t.hash = $1 AND t.kind = $2 AND t.revoked_at IS NULL AND t.expires_at > statement_timestamp()"
        )
    };
}

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
    /// When the token expires.
    pub expires_at: OffsetDateTime,
    pub(super) last_used_at: Option<OffsetDateTime>,
    request_rate: Option<i64>,
    hash: Hash,
    kind: TokenKind,
    active: bool,
}

impl TokenHolder {
    /// Requests that the organization may send in a second, if the operator has set a quota.
    pub fn request_rate(&self) -> Option<u32> {
        self.request_rate.map(|rate| u32::try_from(rate).unwrap_or(u32::MAX))
    }
}

/// Who makes a request: the holder of its token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The holder when the request arrived.
    pub holder: TokenHolder,
    /// Our own id of the request.
    pub request_id: Option<StoredText>,
    /// The request, if it may be repeated.
    pub repeatable: Option<RepeatableRequest>,
}

/// What the holder of a token must be to make a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// An administrator.
    Administer,
    /// This user, or an administrator.
    ActFor(UserId),
}

impl Right {
    /// Requires the right.
    ///
    /// # Errors
    /// [`IdentityError::Forbidden`] when the holder does not have it.
    pub fn require(self, holder: &TokenHolder) -> Result<()> {
        let is_self = matches!(self, Self::ActFor(user) if user == holder.user);
        if is_self || holder.administrator { Ok(()) } else { Err(ADMINISTRATORS_ONLY) }
    }
}

impl Store {
    /// The active principal whose token has this hash.
    ///
    /// # Errors
    /// [`IdentityError::Unauthenticated`] when there is none, or the token is not valid now.
    pub async fn holder(&self, hash: &Hash) -> Result<TokenHolder> {
        find(self.pool(), hash, TokenKind::Personal, true).await
    }

    /// The user invited with the token that has this hash, who is not active yet.
    ///
    /// # Errors
    /// [`IdentityError::Unauthenticated`] when there is none, or the invitation is not valid now.
    pub async fn invited(&self, hash: &Hash) -> Result<TokenHolder> {
        find(self.pool(), hash, TokenKind::Invite, false).await
    }

    /// The active user with this recovery invitation.
    ///
    /// # Errors
    /// [`IdentityError::Unauthenticated`] when there is none, or the invitation is not valid now.
    pub async fn recovering(&self, hash: &Hash) -> Result<TokenHolder> {
        find(self.pool(), hash, TokenKind::Invite, true).await
    }

    /// Begins the next revision of the bearer's organization, by a right that the bearer has under the organization's
    /// lock: whatever was taken from the bearer since the request arrived counts.
    ///
    /// # Errors
    /// [`IdentityError::Unauthenticated`] when the token is not valid any more; [`IdentityError::Forbidden`] when its
    /// holder does not have the right; [`IdentityError::Answered`] when the request is a repetition.
    pub async fn revision(&self, bearer: &Bearer, right: Right) -> Result<PendingRevision> {
        let (organization, author) = (bearer.holder.organization, Author::of(bearer));
        let mut change = self.change(organization).await?;
        let found = match lock(&mut change.tx, &bearer.holder).await? {
            Some(locked) if !locked.current => lock(&mut change.tx, &bearer.holder).await?,
            found => found,
        };
        change.must_be_new(&author).await?;
        let Locked { next, holder, .. } = found.ok_or(IdentityError::Unauthenticated)?;
        right.require(&holder)?;
        change.begin(self, next, author, Some(holder))
    }
}

/// An organization whose lock is held, and the holder of a token.
#[derive(sqlx::FromRow)]
struct Locked {
    #[sqlx(flatten)]
    next: Next,
    #[sqlx(flatten)]
    holder: TokenHolder,
    /// False if this transaction waited for the lock: the holder is that of before.
    current: bool,
}

/// The holder of the token, if it is valid, and its organization, locked: nothing of the holder can change until the
/// transaction ends.
async fn lock(tx: &mut PgConnection, holder: &TokenHolder) -> sqlx::Result<Option<Locked>> {
    let TokenHolder { organization, hash, kind, active, .. } = holder;
    sqlx::query_as(holder!(
        ", (o.epoch, o.revision) = (SELECT epoch, revision FROM organization WHERE id = $4)
               AND clock_timestamp() < statement_timestamp() + interval '100 milliseconds' AS current, ",
        next_columns!(),
        "(SELECT * FROM organization WHERE id = $4 FOR NO KEY UPDATE)"
    ))
    .bind(hash)
    .bind(kind)
    .bind(active)
    .bind(organization)
    .fetch_optional(tx)
    .await
}

/// The holder now.
async fn find(connection: impl PgExecutor<'_>, hash: &Hash, kind: TokenKind, active: bool) -> Result<TokenHolder> {
    sqlx::query_as(holder!("", "", "organization"))
        .bind(hash)
        .bind(kind)
        .bind(active)
        .fetch_optional(connection)
        .await?
        .ok_or(IdentityError::Unauthenticated)
}
