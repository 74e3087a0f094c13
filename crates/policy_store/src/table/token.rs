//! Hashes of bearer tokens.

use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;
use writ_contract::{ChainId, Timestamp};
use writ_policy::{Row, Token};

use crate::StoreError;
use crate::batch::Changes;
use crate::chain::{ChainColumns, chain_id, hash};
use crate::load::Loaded;
use crate::names::{TOKEN_KINDS, parse, token_kind};

const PUT: &str = "
INSERT INTO token (organization, origin, stream, id, hash, principal, kind, expires_at)
SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::uuid[], $7::text[], $8::bigint[])
ON CONFLICT (organization, origin, stream, id)
DO UPDATE SET hash = excluded.hash, principal = excluded.principal, kind = excluded.kind,
              expires_at = excluded.expires_at";

const DROP: &str = "
DELETE FROM token
USING UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[])
    AS dropped (organization, origin, stream, id)
WHERE token.organization = dropped.organization AND token.origin = dropped.origin
  AND token.stream = dropped.stream AND token.id = dropped.id";

const LOAD: &str = "
SELECT organization, origin, stream, id, hash, principal, kind, expires_at FROM token
WHERE $1::uuid IS NULL OR (organization = $1 AND origin = $2 AND stream = $3)";

type Columns = (Uuid, String, String, Uuid, Vec<u8>, Uuid, String, i64);

pub(crate) async fn change(conn: &mut PgConnection, changes: &Changes<'_, &Token, Uuid>) -> Result<(), sqlx::Error> {
    if !changes.dropped.is_empty() {
        drop_rows(conn, &changes.dropped).await?;
    }
    if !changes.put.is_empty() {
        put_rows(conn, &changes.put).await?;
    }
    Ok(())
}

async fn put_rows(conn: &mut PgConnection, rows: &[(&ChainId, &Token)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(rows.iter().map(|(chain, _)| *chain));
    sqlx::query(PUT)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(rows.iter().map(|(_, row)| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| &row.hash.0[..]).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.principal).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| token_kind(row.kind)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.expires_at.0).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

async fn drop_rows(conn: &mut PgConnection, keys: &[(&ChainId, Uuid)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(keys.iter().map(|(chain, _)| *chain));
    sqlx::query(DROP)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(keys.iter().map(|(_, id)| *id).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

pub(crate) async fn load(conn: &mut PgConnection, only: Option<&ChainId>, into: &mut Loaded) -> Result<(), StoreError> {
    let (organization, origin, stream) = super::only(only);
    let mut rows = sqlx::query_as::<_, Columns>(LOAD).bind(organization).bind(origin).bind(stream).fetch(conn);
    while let Some(columns) = rows.try_next().await? {
        let (chain, row) = read(columns)?;
        into.entry(chain).or_default().push(row);
    }
    Ok(())
}

fn read(
    (organization, origin, stream, id, text, principal, kind, until): Columns,
) -> Result<(ChainId, Row), StoreError> {
    let hash = hash(&text, "token.hash")?;
    let kind = parse(&TOKEN_KINDS, token_kind, &kind, "token.kind")?;
    let row = Token { id, hash, principal, kind, expires_at: Timestamp(until) };
    Ok((chain_id(organization, origin, &stream)?, Row::Token(row)))
}
