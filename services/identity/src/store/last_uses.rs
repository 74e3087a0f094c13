//! When tokens were last used, stored behind the requests that use them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};
use writ_contract::{OrganizationId, TokenId};
use writ_log::database::{LIMIT, bounded};

use super::Store;
use super::callers::TokenHolder;
use crate::error::Result;

/// A use is stored when the last stored one is older than this.
const GRAIN: Duration = Duration::hours(1);
/// Tokens whose use may wait to be stored; the use of others is noted at their next request.
const MOST_WAITING: usize = 10_000;

/// Uses of tokens that are to be stored: the latest of each. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct LastUses(Arc<Mutex<BTreeMap<(OrganizationId, TokenId), OffsetDateTime>>>);

impl LastUses {
    /// Notes that the token has been used now, unless a use within the last hour is stored.
    pub fn note(&self, holder: &TokenHolder) {
        let now = OffsetDateTime::now_utc();
        if holder.last_used_at.is_some_and(|stored| now - stored < GRAIN) {
            return;
        }
        let key = (holder.organization, holder.token);
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST_WAITING || waiting.contains_key(&key) {
            waiting.insert(key, now);
        }
    }

    fn take(&self) -> BTreeMap<(OrganizationId, TokenId), OffsetDateTime> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// Stores the uses that wait for it, and forgets them. It is no change of the organization: no revision, no event.
    /// A token that is being changed is passed over; its next use is noted again.
    pub async fn store_last_uses(&self, uses: &LastUses) -> Result<()> {
        let uses = uses.take();
        if uses.is_empty() {
            return Ok(());
        }
        let (tokens, times): (Vec<_>, Vec<OffsetDateTime>) = uses.into_iter().unzip();
        let (organizations, tokens): (Vec<_>, Vec<_>) =
            tokens.into_iter().map(|(organization, token)| (organization.as_uuid(), token.as_uuid())).unzip();
        let statement = sqlx::query(
            "UPDATE token t SET last_used_at = free.at
               FROM (SELECT t.organization, t.id, used.at
                       FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS used (organization, id, at)
                       JOIN token t USING (organization, id)
                      WHERE t.last_used_at IS NULL OR t.last_used_at < used.at
                        FOR NO KEY UPDATE OF t SKIP LOCKED) AS free
              WHERE t.organization = free.organization AND t.id = free.id",
        )
        .bind(organizations)
        .bind(tokens)
        .bind(times);
        let stored = bounded(self.pool(), LIMIT, async |connection| statement.execute(connection).await);
        stored.await?;
        Ok(())
    }
}
