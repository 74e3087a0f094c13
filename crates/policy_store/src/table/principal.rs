//! Users, teams and system accounts.

use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;
use writ_contract::ChainId;
use writ_policy::{Principal, Row};

use crate::StoreError;
use crate::batch::Changes;
use crate::chain::{ChainColumns, chain_id};
use crate::load::Loaded;
use crate::names::{PRINCIPAL_KINDS, parse, principal_kind};

const PUT: &str = "
INSERT INTO principal (organization, origin, stream, id, kind, active)
SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bool[])
ON CONFLICT (organization, origin, stream, id)
DO UPDATE SET kind = excluded.kind, active = excluded.active";

const DROP: &str = "
DELETE FROM principal
USING UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[])
    AS dropped (organization, origin, stream, id)
WHERE principal.organization = dropped.organization AND principal.origin = dropped.origin
  AND principal.stream = dropped.stream AND principal.id = dropped.id";

const LOAD: &str = "
SELECT organization, origin, stream, id, kind, active FROM principal
WHERE $1::uuid IS NULL OR (organization = $1 AND origin = $2 AND stream = $3)";

type Columns = (Uuid, String, String, Uuid, String, bool);

pub(crate) async fn change(
    conn: &mut PgConnection,
    changes: &Changes<'_, &Principal, Uuid>,
) -> Result<(), sqlx::Error> {
    if !changes.dropped.is_empty() {
        drop_rows(conn, &changes.dropped).await?;
    }
    if !changes.put.is_empty() {
        put_rows(conn, &changes.put).await?;
    }
    Ok(())
}

async fn put_rows(conn: &mut PgConnection, rows: &[(&ChainId, &Principal)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(rows.iter().map(|(chain, _)| *chain));
    sqlx::query(PUT)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(rows.iter().map(|(_, row)| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| principal_kind(row.kind)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.active).collect::<Vec<_>>())
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

fn read((organization, origin, stream, id, kind, active): Columns) -> Result<(ChainId, Row), StoreError> {
    let kind = parse(&PRINCIPAL_KINDS, principal_kind, &kind, "principal.kind")?;
    Ok((chain_id(organization, origin, &stream)?, Row::Principal(Principal { id, kind, active })))
}
