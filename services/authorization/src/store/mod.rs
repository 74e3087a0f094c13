//! What authorization keeps in PostgreSQL: the chains it has written, the records that wait to
//! be sent, and the entity events it has answered.

pub mod answered;

use std::sync::LazyLock;

use sqlx::migrate::Migrator;
use sqlx::{PgConnection, PgPool};
use writ_log::park::Parked;
use writ_log::{outbox, park};
use writ_policy::Index;
use writ_policy_store::StoreError;

use crate::effects::Effects;

/// All tables of the database `authorization`.
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
    answered::insert(&mut *tx, &effects.answered).await?;
    for kept in &effects.kept {
        park::append(&mut *tx, &kept.record, kept.organization, &kept.reason).await?;
    }
    if !effects.resumed.is_empty() {
        park::delete(&mut *tx, &effects.resumed).await?;
    }
    outbox::append(tx, &effects.outgoing).await
}

/// The chains as they were last written. One whose rows are not those of its head stands still.
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

/// All kept records, each organization's in order.
///
/// # Errors
/// What PostgreSQL said.
pub async fn kept(pool: &PgPool) -> Result<Vec<Parked>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let mut records = Vec::new();
    for (organization, ..) in park::organizations(&mut connection).await? {
        records.extend(park::load(&mut connection, organization).await?);
    }
    Ok(records)
}

#[cfg(test)]
mod tests;
