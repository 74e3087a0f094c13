//! The directory of organizations.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::{PgConnection, PgPool};
use writ_contract::{OrganizationId, Revision};

use crate::directory::Listed;

/// Stores entries.
pub(super) async fn put(tx: &mut PgConnection, listed: &BTreeMap<OrganizationId, Listed>) -> Result<(), sqlx::Error> {
    if listed.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO listed_organization (organization, epoch, revision, deleted)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::boolean[])
         ON CONFLICT (organization) DO UPDATE
         SET epoch = EXCLUDED.epoch, revision = EXCLUDED.revision, deleted = EXCLUDED.deleted",
    )
    .bind(listed.keys().copied().collect::<Vec<_>>())
    .bind(listed.values().map(|listed| listed.revision.epoch).collect::<Vec<_>>())
    .bind(listed.values().map(|listed| listed.revision.number).collect::<Vec<_>>())
    .bind(listed.values().map(|listed| listed.deleted).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// Reads all of it.
pub(super) async fn load(pool: &PgPool) -> Result<Vec<(OrganizationId, Listed)>, sqlx::Error> {
    sqlx::query_as("SELECT organization, epoch, revision, deleted FROM listed_organization")
        .fetch(pool)
        .map_ok(|(organization, epoch, number, deleted): (OrganizationId, i64, i64, bool)| {
            (organization, Listed { revision: Revision { epoch, number }, deleted })
        })
        .try_collect()
        .await
}
