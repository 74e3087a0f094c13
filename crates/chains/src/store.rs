//! Chains in PostgreSQL: written as deltas say, read back at start.

mod chain;
mod staged;
mod table;
mod tables;

use std::collections::BTreeMap;

use sqlx::{PgConnection, PgPool};
use writ_contract::{ChainId, Hash};
use writ_log::database::{LIMIT, LONG_CALL, bounded, within};
use writ_log::park::{self, Parked};
use writ_policy::digest::StateDigest;
use writ_policy::{Delta, Index};

pub use staged::{stage, staged, unstage};
use table::{Changes, Loaded};
use tables::{TABLES, table_of};

/// Versions 100 to 199.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Writes deltas, in the order in which they were made, in the caller's transaction.
///
/// Whatever the size of the batch, each table that changes costs at most two statements. Of a row that changes
/// several times only the last state is written. All go by table and key, so that two writers cannot deadlock.
pub async fn write(conn: &mut PgConnection, deltas: &[Delta]) -> Result<(), sqlx::Error> {
    let mut standings = BTreeMap::new();
    let mut rows = BTreeMap::new();
    for delta in deltas {
        standings.insert(delta.chain(), &delta.standing);
        rows.extend(delta.dropped.iter().map(|key| ((delta.chain(), key.clone()), None)));
        rows.extend(delta.put.iter().map(|row| ((delta.chain(), row.key()), Some(row))));
    }
    let mut changes = BTreeMap::new();
    for ((chain, key), row) in rows {
        let table = table_of(&key);
        let (_, changes) = changes.entry(table.name).or_insert_with(|| (table, Changes::default()));
        match row {
            Some(row) => changes.put.push((chain, row)),
            None => changes.dropped.push((chain, key)),
        }
    }
    chain::put(conn, &standings.into_values().collect::<Vec<_>>()).await?;
    for (table, changes) in changes.values() {
        table.change(conn, changes).await?;
    }
    Ok(())
}

/// Reads every chain, all as of one moment. One whose rows do not have the digest of its head is halted.
pub async fn load(pool: &PgPool) -> Result<Index, sqlx::Error> {
    let mut tx = within(LIMIT, pool.begin_with(SNAPSHOT)).await?;
    // As long as rows arrive, it may take as long as it takes.
    within(LIMIT, sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx)).await?;
    let standings = chain::load(&mut tx).await?;
    let mut rows = load_rows(&mut tx, None).await?;
    within(LIMIT, tx.commit()).await?;
    let mut index = Index::new();
    for standing in standings {
        let rows = rows.remove(&standing.head.chain).unwrap_or_default();
        if let Err(mismatch) = index.load(standing, rows) {
            tracing::error!(%mismatch, "a chain is halted");
        }
    }
    Ok(index)
}

/// Computes the state digest of a chain from its stored rows.
pub async fn recompute_digest(pool: &PgPool, chain: &ChainId) -> Result<Hash, sqlx::Error> {
    let rows = load_rows(&mut *pool.acquire().await?, Some(chain)).await?;
    Ok(StateDigest::of(rows.into_values().flatten().map(|row| row.hash())).into())
}

/// The rows of one chain, or of all.
async fn load_rows(conn: &mut PgConnection, only: Option<&ChainId>) -> Result<Loaded, sqlx::Error> {
    let mut rows = Loaded::new();
    for table in TABLES {
        table.load(conn, only, &mut rows).await?;
    }
    Ok(rows)
}

/// All parked records, each organization's in order.
pub async fn parked(pool: &PgPool) -> Result<Vec<Parked>, sqlx::Error> {
    bounded(pool, LONG_CALL, async |conn: &mut PgConnection| {
        let mut records = Vec::new();
        for (organization, ..) in park::organizations(conn).await? {
            records.extend(park::load(conn, organization).await?);
        }
        Ok(records)
    })
    .await
}

#[cfg(test)]
mod tests;
