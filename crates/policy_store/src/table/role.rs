//! Roles of the catalogue and of organizations.

use futures::TryStreamExt;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;
use writ_contract::ChainId;
use writ_policy::{Role, Row};

use crate::StoreError;
use crate::batch::Changes;
use crate::chain::{ChainColumns, chain_id};
use crate::load::Loaded;

/// Lists travel as JSON, as `UNNEST` would flatten arrays of arrays.
const PUT: &str = "
INSERT INTO role (organization, origin, stream, role, entity_type, actions, covers_children)
SELECT organization, origin, stream, role, entity_type,
       ARRAY(SELECT jsonb_array_elements_text(actions)), ARRAY(SELECT jsonb_array_elements_text(covers_children))
FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[])
    AS put (organization, origin, stream, role, entity_type, actions, covers_children)
ON CONFLICT (organization, origin, stream, role)
DO UPDATE SET entity_type = excluded.entity_type, actions = excluded.actions,
              covers_children = excluded.covers_children";

const DROP: &str = "
DELETE FROM role
USING UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[])
    AS dropped (organization, origin, stream, role)
WHERE role.organization = dropped.organization AND role.origin = dropped.origin
  AND role.stream = dropped.stream AND role.role = dropped.role";

const LOAD: &str = "
SELECT organization, origin, stream, role, entity_type, actions, covers_children FROM role
WHERE $1::uuid IS NULL OR (organization = $1 AND origin = $2 AND stream = $3)";

type Columns = (Uuid, String, String, String, String, Vec<String>, Vec<String>);

pub(crate) async fn change(conn: &mut PgConnection, changes: &Changes<'_, &Role, String>) -> Result<(), sqlx::Error> {
    if !changes.dropped.is_empty() {
        drop_rows(conn, &changes.dropped).await?;
    }
    if !changes.put.is_empty() {
        put_rows(conn, &changes.put).await?;
    }
    Ok(())
}

async fn put_rows(conn: &mut PgConnection, rows: &[(&ChainId, &Role)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(rows.iter().map(|(chain, _)| *chain));
    sqlx::query(PUT)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(rows.iter().map(|(_, row)| row.role.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.entity_type.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| Json(&row.actions)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| Json(&row.covers_children)).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

async fn drop_rows(conn: &mut PgConnection, keys: &[(&ChainId, String)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(keys.iter().map(|(chain, _)| *chain));
    sqlx::query(DROP)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(keys.iter().map(|(_, role)| role.as_str()).collect::<Vec<_>>())
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
    (organization, origin, stream, role, entity_type, actions, covers): Columns,
) -> Result<(ChainId, Row), StoreError> {
    let row = Row::Role(Role::new(role, entity_type, actions, covers));
    Ok((chain_id(organization, origin, &stream)?, row))
}
