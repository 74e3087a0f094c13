//! Who has which role on what.

use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;
use writ_contract::{ChainId, Timestamp};
use writ_policy::{Grant, Row, Validity};

use super::micros;
use crate::StoreError;
use crate::batch::Changes;
use crate::chain::{ChainColumns, chain_id};
use crate::load::Loaded;

const PUT: &str = r#"
INSERT INTO "grant" (organization, origin, stream, id, principal, role, entity_type, entity_id, region,
                     valid_from, valid_until, condition)
SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::uuid[])
ON CONFLICT (organization, origin, stream, id)
DO UPDATE SET principal = excluded.principal, role = excluded.role, entity_type = excluded.entity_type,
              entity_id = excluded.entity_id, region = excluded.region, valid_from = excluded.valid_from,
              valid_until = excluded.valid_until, condition = excluded.condition"#;

const DROP: &str = r#"
DELETE FROM "grant" AS held
USING UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS dropped (organization, origin, stream, id)
WHERE held.organization = dropped.organization AND held.origin = dropped.origin
  AND held.stream = dropped.stream AND held.id = dropped.id"#;

const LOAD: &str = r#"
SELECT organization, origin, stream, id, principal, role, entity_type, entity_id, region, valid_from,
       valid_until, condition
FROM "grant"
WHERE $1::uuid IS NULL OR (organization = $1 AND origin = $2 AND stream = $3)"#;

type Columns = (
    Uuid,
    String,
    String,
    Uuid,
    Uuid,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<Uuid>,
);

pub(crate) async fn change(conn: &mut PgConnection, changes: &Changes<'_, &Grant, Uuid>) -> Result<(), sqlx::Error> {
    if !changes.dropped.is_empty() {
        drop_rows(conn, &changes.dropped).await?;
    }
    if !changes.put.is_empty() {
        put_rows(conn, &changes.put).await?;
    }
    Ok(())
}

async fn put_rows(conn: &mut PgConnection, rows: &[(&ChainId, &Grant)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(rows.iter().map(|(chain, _)| *chain));
    sqlx::query(PUT)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(rows.iter().map(|(_, row)| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.principal).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.role.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.entity_type.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.entity_id.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.region.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| micros(row.validity.from)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| micros(row.validity.until)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.condition).collect::<Vec<_>>())
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

fn read(columns: Columns) -> Result<(ChainId, Row), StoreError> {
    let (organization, origin, stream, id, principal, role, entity_type, entity_id, region, from, until, condition) =
        columns;
    let validity = Validity { from: from.map(Timestamp), until: until.map(Timestamp) };
    let row = Grant { id, principal, role, entity_type, entity_id, region, validity, condition };
    Ok((chain_id(organization, origin, &stream)?, Row::Grant(row)))
}
