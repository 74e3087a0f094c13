//! The database `read_model`.

use std::sync::LazyLock;

use sqlx::migrate::Migrator;
use sqlx::{PgConnection, PgPool};
use writ_log::park::{self, Parked};
use writ_policy::Index;
use writ_policy_store::StoreError;

use super::{Effects, applied};

/// All tables of the database `read_model`.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let own = sqlx::migrate!("./migrations");
    writ_service::database::merged(&[&writ_log::MIGRATIONS, &writ_policy_store::MIGRATIONS, &own])
});

/// Writes what a batch changed, in the transaction that records how far the log was read.
///
/// # Errors
/// What PostgreSQL said.
pub async fn write(tx: &mut PgConnection, effects: &Effects) -> Result<(), sqlx::Error> {
    writ_policy_store::write(&mut *tx, &effects.deltas).await?;
    applied::insert(&mut *tx, &effects.applied).await?;
    for (origin, set) in &effects.staged {
        writ_policy_store::stage(&mut *tx, origin, set).await?;
    }
    for (chain, through) in &effects.unstaged {
        writ_policy_store::unstage(&mut *tx, chain, *through).await?;
    }
    for kept in &effects.kept {
        park::append(&mut *tx, &kept.record, kept.organization, &kept.reason).await?;
    }
    if effects.resumed.is_empty() { Ok(()) } else { park::delete(tx, &effects.resumed).await }
}

/// The index as it was last written. A chain whose rows are not those of its head stands still.
///
/// # Errors
/// What PostgreSQL said, or what does not parse.
pub async fn load(pool: &PgPool) -> Result<Index, StoreError> {
    let mut index = Index::new();
    for (standing, rows) in writ_policy_store::load(pool).await? {
        if let Err(mismatch) = index.load(standing, rows) {
            tracing::error!(%mismatch, "a chain stands still");
        }
    }
    Ok(index)
}

/// All records that wait for a build that understands them, each organization's in order.
///
/// # Errors
/// What PostgreSQL said.
pub async fn parked(pool: &PgPool) -> Result<Vec<Parked>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let mut records = Vec::new();
    for (organization, ..) in park::organizations(&mut connection).await? {
        records.extend(park::load(&mut connection, organization).await?);
    }
    Ok(records)
}
