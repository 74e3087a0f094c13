//! Entities, and the tombstones of deleted ones.

use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;
use writ_contract::ChainId;
use writ_policy::{Entity, EntityKey, Row};

use crate::StoreError;
use crate::batch::Changes;
use crate::chain::{ChainColumns, chain_id};
use crate::load::Loaded;

const PUT: &str = "
INSERT INTO entity (organization, origin, stream, entity_type, entity_id, parent_type, parent_id, deleted)
SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[])
ON CONFLICT (organization, origin, stream, entity_type, entity_id)
DO UPDATE SET parent_type = excluded.parent_type, parent_id = excluded.parent_id, deleted = excluded.deleted";

const DROP: &str = "
DELETE FROM entity
USING UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS dropped (organization, origin, stream, entity_type, entity_id)
WHERE entity.organization = dropped.organization AND entity.origin = dropped.origin
  AND entity.stream = dropped.stream AND entity.entity_type = dropped.entity_type
  AND entity.entity_id = dropped.entity_id";

const LOAD: &str = "
SELECT organization, origin, stream, entity_type, entity_id, parent_type, parent_id, deleted FROM entity
WHERE $1::uuid IS NULL OR (organization = $1 AND origin = $2 AND stream = $3)";

type Columns = (Uuid, String, String, String, String, Option<String>, Option<String>, bool);

/// A key, and its entity unless that was deleted.
type EntityRow<'a> = (&'a EntityKey, Option<&'a Entity>);

pub(crate) async fn change(
    conn: &mut PgConnection,
    changes: &Changes<'_, EntityRow<'_>, EntityKey>,
) -> Result<(), sqlx::Error> {
    if !changes.dropped.is_empty() {
        drop_rows(conn, &changes.dropped).await?;
    }
    if !changes.put.is_empty() {
        put_rows(conn, &changes.put).await?;
    }
    Ok(())
}

async fn put_rows(conn: &mut PgConnection, rows: &[(&ChainId, EntityRow<'_>)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(rows.iter().map(|(chain, _)| *chain));
    sqlx::query(PUT)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(rows.iter().map(|(_, (key, _))| key.entity_type.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, (key, _))| key.id.as_str()).collect::<Vec<_>>())
        .bind(
            rows.iter().map(|(_, (_, row))| parent(*row).map(|parent| parent.entity_type.as_str())).collect::<Vec<_>>(),
        )
        .bind(rows.iter().map(|(_, (_, row))| parent(*row).map(|parent| parent.id.as_str())).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, (_, row))| row.is_none()).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

async fn drop_rows(conn: &mut PgConnection, keys: &[(&ChainId, EntityKey)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(keys.iter().map(|(chain, _)| *chain));
    sqlx::query(DROP)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(keys.iter().map(|(_, key)| key.entity_type.as_str()).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, key)| key.id.as_str()).collect::<Vec<_>>())
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

fn parent(entity: Option<&Entity>) -> Option<&EntityKey> {
    entity?.parent.as_ref()
}

fn read(columns: Columns) -> Result<(ChainId, Row), StoreError> {
    let (organization, origin, stream, entity_type, id, parent_type, parent_id, deleted) = columns;
    let key = EntityKey { entity_type, id };
    let parent = parent_type.zip(parent_id).map(|(entity_type, id)| EntityKey { entity_type, id });
    let row = if deleted { Row::Tombstone(key) } else { Row::Entity(Entity { key, parent }) };
    Ok((chain_id(organization, origin, &stream)?, row))
}
