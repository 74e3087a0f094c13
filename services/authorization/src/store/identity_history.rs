//! The digests of identity events, an organization a row.

use std::collections::{BTreeMap, HashMap};

use sqlx::{PgConnection, PgPool};
use writ_contract::{Hash, OrganizationId};
use writ_policy::History;

use crate::identity_history::IdentityHistory;

type StoredHistory = (OrganizationId, Hash, Vec<u8>);

pub(super) async fn put(
    tx: &mut PgConnection,
    histories: &BTreeMap<OrganizationId, IdentityHistory>,
) -> Result<(), sqlx::Error> {
    if histories.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO identity_history (organization, digest, recent)
         SELECT * FROM UNNEST($1::uuid[], $2::bytea[], $3::bytea[])
         ON CONFLICT (organization) DO UPDATE SET digest = EXCLUDED.digest, recent = EXCLUDED.recent",
    )
    .bind(histories.keys().copied().collect::<Vec<_>>())
    .bind(histories.values().map(|history| history.digest).collect::<Vec<_>>())
    .bind(histories.values().map(|history| history.recent.to_bytes()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn load(pool: &PgPool) -> Result<HashMap<OrganizationId, IdentityHistory>, sqlx::Error> {
    let rows: Vec<StoredHistory> =
        sqlx::query_as("SELECT organization, digest, recent FROM identity_history").fetch_all(pool).await?;
    rows.into_iter().map(history).collect()
}

fn history((organization, digest, recent): StoredHistory) -> Result<(OrganizationId, IdentityHistory), sqlx::Error> {
    let recent =
        History::from_bytes(&recent).ok_or_else(|| sqlx::Error::Decode("identity_history.recent is damaged".into()))?;
    Ok((organization, IdentityHistory { digest, recent }))
}
