//! Change sets that a stopped chain cannot apply yet.

use sqlx::{PgConnection, PgPool};
use writ_contract::policy_change::ChangeSet;
use writ_contract::{ChainId, Region, Revision, SchemaRegistry, decode, encode};
use writ_log::database::next_row;

/// Keeps a change set that came from region `origin`. Keeping it again changes nothing.
pub async fn stage(conn: &mut PgConnection, origin: Region, set: &ChangeSet) -> Result<(), sqlx::Error> {
    let statement = "INSERT INTO staged_change_set (organization, origin, stream, epoch, revision, change_set)
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let bytes = encode(set).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(statement)
        .bind(set.organization)
        .bind(origin)
        .bind(set.stream)
        .bind(set.revision.epoch)
        .bind(set.revision.number)
        .bind(bytes)
        .execute(conn)
        .await
        .map(drop)
}

/// Every change set that is kept, with the region it came from, in the order of each chain.
pub async fn staged(pool: &PgPool) -> Result<Vec<(Region, ChangeSet)>, sqlx::Error> {
    let statement = "SELECT origin, change_set FROM staged_change_set
                     ORDER BY organization, origin, stream, epoch, revision";
    let mut rows = sqlx::query_as::<_, (Region, Vec<u8>)>(statement).fetch(pool);
    let mut staged = Vec::new();
    while let Some((origin, bytes)) = next_row(&mut rows).await? {
        staged.push((origin, read(&bytes)?));
    }
    Ok(staged)
}

/// Forgets what is kept of a chain up to and including a revision.
pub async fn unstage(conn: &mut PgConnection, chain: &ChainId, through: Revision) -> Result<(), sqlx::Error> {
    let statement = "DELETE FROM staged_change_set
                     WHERE organization = $1 AND origin = $2 AND stream = $3 AND (epoch, revision) <= ($4, $5)";
    sqlx::query(statement)
        .bind(chain.organization)
        .bind(chain.origin)
        .bind(chain.stream)
        .bind(through.epoch)
        .bind(through.number)
        .execute(conn)
        .await
        .map(drop)
}

/// Change sets are an envelope that never changes: the schemas of this build suffice.
fn read(bytes: &[u8]) -> Result<ChangeSet, sqlx::Error> {
    decode(bytes, &SchemaRegistry::default()).map_err(|error| sqlx::Error::Decode(error.into()))
}
