//! Chains out of tables.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool};
use writ_contract::{ChainId, Hash};
use writ_policy::digest::StateDigest;
use writ_policy::{Row, Standing};

use crate::{StoreError, chain, table};

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Rows by chain, as they come in.
pub(crate) type Loaded = HashMap<ChainId, Vec<Row>>;

/// Reads every chain with its rows, all as of one moment.
///
/// # Errors
/// When PostgreSQL does not answer, or holds what this build never wrote.
pub async fn load(pool: &PgPool) -> Result<Vec<(Standing, Vec<Row>)>, StoreError> {
    let mut tx = pool.begin_with(SNAPSHOT).await?;
    let standings = chain::load(&mut tx).await?;
    let mut rows = load_rows(&mut tx, None).await?;
    tx.commit().await?;
    let with_rows = |standing: Standing| {
        let rows = rows.remove(&standing.head.chain).unwrap_or_default();
        (standing, rows)
    };
    Ok(standings.into_iter().map(with_rows).collect())
}

/// Works out the state digest of a chain from its stored rows.
///
/// # Errors
/// When PostgreSQL does not answer, or holds what this build never wrote.
pub async fn recompute_digest(pool: &PgPool, chain: &ChainId) -> Result<Hash, StoreError> {
    let mut tx = pool.begin_with(SNAPSHOT).await?;
    let rows = load_rows(&mut tx, Some(chain)).await?;
    tx.commit().await?;
    Ok(StateDigest::of(rows.into_values().flatten().map(|row| row.hash())).into())
}

/// The rows of one chain, or of all.
async fn load_rows(conn: &mut PgConnection, only: Option<&ChainId>) -> Result<Loaded, StoreError> {
    let mut rows = Loaded::new();
    table::organization::load(conn, only, &mut rows).await?;
    table::principal::load(conn, only, &mut rows).await?;
    table::binding::load(conn, only, &mut rows).await?;
    table::role::load(conn, only, &mut rows).await?;
    table::grant::load(conn, only, &mut rows).await?;
    table::token::load(conn, only, &mut rows).await?;
    table::condition::load(conn, only, &mut rows).await?;
    table::entity::load(conn, only, &mut rows).await?;
    Ok(rows)
}
