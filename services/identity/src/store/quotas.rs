//! Quotas of organizations. What an organization has is counted in the transactions that change it: the statements that insert
//! a row count it, and triggers count those that are deleted, because most of them are deleted with something else.

use writ_contract::OrganizationId;

use super::Store;
use crate::domain::quota::{Quota, QuotaUse};
use crate::error::{IdentityError, Result};

impl Store {
    /// The quotas of an organization.
    pub async fn quotas(&self, organization: OrganizationId) -> Result<Vec<QuotaUse>> {
        let rows: Vec<(String, i64, Option<i64>)> =
            sqlx::query_as("SELECT resource, used, maximum FROM quota WHERE organization = $1")
                .bind(organization)
                .fetch_all(self.pool())
                .await?;
        let of = |quota: Quota| {
            let row = rows.iter().find(|(resource, ..)| resource == quota.as_str());
            let counted = !matches!(quota, Quota::RolesPerPrincipal | Quota::RequestsPerSecond);
            let used = counted.then(|| row.map_or(0, |(_, used, _)| *used));
            QuotaUse { quota, used, maximum: row.and_then(|(.., maximum)| *maximum) }
        };
        Ok(Quota::ALL.map(of).to_vec())
    }

    /// Sets the maximum of an organization; `None` brings the default back.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when the organization does not exist.
    pub async fn set_quota(&self, organization: OrganizationId, quota: Quota, maximum: Option<i64>) -> Result<()> {
        let _turn = self.turns.take(organization).await?;
        // The lock keeps the organization from being deleted meanwhile.
        let set = sqlx::query(
            "WITH existing AS (SELECT id FROM organization WHERE id = $1 AND state <> 'deleted' FOR UPDATE)
             INSERT INTO quota (organization, resource, maximum) SELECT id, $2, $3 FROM existing
             ON CONFLICT (organization, resource) DO UPDATE SET maximum = excluded.maximum",
        )
        .bind(organization)
        .bind(quota.as_str())
        .bind(maximum)
        .execute(&self.writes)
        .await?;
        if set.rows_affected() == 0 { Err(IdentityError::NotFound("organization")) } else { Ok(()) }
    }
}

/// The part of a statement that counts the rows of its part `inserted`. It returns the [`Count`].
macro_rules! counted {
    ($quota:literal) => {
        concat!(
            "counted AS (INSERT INTO quota AS q (organization, resource, used)
                         SELECT organization, '",
            $quota,
            "', count(*) FROM inserted GROUP BY organization
                         ON CONFLICT (organization, resource) DO UPDATE SET used = q.used + excluded.used
                         RETURNING used, maximum)"
        )
    };
}
pub(super) use counted;

/// What an organization has of something now, and the most that it may have if the operator has set that.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(super) struct Count {
    used: i64,
    maximum: Option<i64>,
}

impl Count {
    /// Refuses the revision if the organization now has more than it may.
    ///
    /// # Errors
    /// [`IdentityError::QuotaReached`] then.
    pub(super) fn must_be_within(self, quota: Quota) -> Result<()> {
        within(quota, self.used, self.maximum)
    }
}

/// Refuses `used` if that is more than `maximum` or, if there is none, the default.
pub(super) fn within(quota: Quota, used: i64, maximum: Option<i64>) -> Result<()> {
    match maximum.or(quota.default_maximum()) {
        Some(maximum) if used > maximum => Err(IdentityError::QuotaReached { quota, maximum }),
        _ => Ok(()),
    }
}
