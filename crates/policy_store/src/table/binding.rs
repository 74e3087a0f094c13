//! Who is in which team.

use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;
use writ_contract::{ChainId, Timestamp};
use writ_policy::{Binding, Row, Validity};

use super::micros;
use crate::StoreError;
use crate::batch::Changes;
use crate::chain::{ChainColumns, chain_id};
use crate::load::Loaded;

const PUT: &str = "
INSERT INTO binding (organization, origin, stream, team, member, valid_from, valid_until)
SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[])
ON CONFLICT (organization, origin, stream, team, member)
DO UPDATE SET valid_from = excluded.valid_from, valid_until = excluded.valid_until";

const DROP: &str = "
DELETE FROM binding
USING UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[])
    AS dropped (organization, origin, stream, team, member)
WHERE binding.organization = dropped.organization AND binding.origin = dropped.origin
  AND binding.stream = dropped.stream AND binding.team = dropped.team AND binding.member = dropped.member";

const LOAD: &str = "
SELECT organization, origin, stream, team, member, valid_from, valid_until FROM binding
WHERE $1::uuid IS NULL OR (organization = $1 AND origin = $2 AND stream = $3)";

type Columns = (Uuid, String, String, Uuid, Uuid, Option<i64>, Option<i64>);

pub(crate) async fn change(
    conn: &mut PgConnection,
    changes: &Changes<'_, &Binding, (Uuid, Uuid)>,
) -> Result<(), sqlx::Error> {
    if !changes.dropped.is_empty() {
        drop_rows(conn, &changes.dropped).await?;
    }
    if !changes.put.is_empty() {
        put_rows(conn, &changes.put).await?;
    }
    Ok(())
}

async fn put_rows(conn: &mut PgConnection, rows: &[(&ChainId, &Binding)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(rows.iter().map(|(chain, _)| *chain));
    sqlx::query(PUT)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(rows.iter().map(|(_, row)| row.team).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.member).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| micros(row.validity.from)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| micros(row.validity.until)).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

async fn drop_rows(conn: &mut PgConnection, keys: &[(&ChainId, (Uuid, Uuid))]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(keys.iter().map(|(chain, _)| *chain));
    sqlx::query(DROP)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(keys.iter().map(|(_, (team, _))| *team).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, (_, member))| *member).collect::<Vec<_>>())
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

fn read((organization, origin, stream, team, member, from, until): Columns) -> Result<(ChainId, Row), StoreError> {
    let validity = Validity { from: from.map(Timestamp), until: until.map(Timestamp) };
    Ok((chain_id(organization, origin, &stream)?, Row::Binding(Binding { team, member, validity })))
}
