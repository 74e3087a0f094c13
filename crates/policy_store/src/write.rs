//! Deltas into tables: at most one statement for what is put into a table and one for what is
//! dropped from it, whatever the size of the batch, and none for a table that does not change.

use sqlx::PgConnection;
use writ_policy::Delta;

use crate::batch::Batch;
use crate::{chain, table};

/// Writes deltas, in the order in which they were made, in the caller's transaction.
///
/// # Errors
/// When PostgreSQL does not answer or refuses.
pub async fn write(conn: &mut PgConnection, deltas: &[Delta]) -> Result<(), sqlx::Error> {
    let batch = Batch::of(deltas);
    chain::put(conn, &batch.standings).await?;
    table::organization::change(conn, &batch.organizations).await?;
    table::principal::change(conn, &batch.principals).await?;
    table::binding::change(conn, &batch.bindings).await?;
    table::role::change(conn, &batch.roles).await?;
    table::grant::change(conn, &batch.grants).await?;
    table::token::change(conn, &batch.tokens).await?;
    table::condition::change(conn, &batch.conditions).await?;
    table::entity::change(conn, &batch.entities).await
}
