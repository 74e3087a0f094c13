//! States of organizations.

use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;
use writ_contract::ChainId;
use writ_contract::identity_event::OrganizationState;
use writ_policy::Row;

use crate::StoreError;
use crate::batch::Changes;
use crate::chain::{ChainColumns, chain_id};
use crate::load::Loaded;
use crate::names::{ORGANIZATION_STATES, organization_state, parse};

const PUT: &str = "
INSERT INTO organization (organization, origin, stream, state)
SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[])
ON CONFLICT (organization, origin, stream)
DO UPDATE SET state = excluded.state";

const DROP: &str = "
DELETE FROM organization
USING UNNEST($1::uuid[], $2::text[], $3::text[])
    AS dropped (organization, origin, stream)
WHERE organization.organization = dropped.organization AND organization.origin = dropped.origin
  AND organization.stream = dropped.stream";

const LOAD: &str = "
SELECT organization, origin, stream, state FROM organization
WHERE $1::uuid IS NULL OR (organization = $1 AND origin = $2 AND stream = $3)";

type Columns = (Uuid, String, String, String);

pub(crate) async fn change(
    conn: &mut PgConnection,
    changes: &Changes<'_, OrganizationState, ()>,
) -> Result<(), sqlx::Error> {
    if !changes.dropped.is_empty() {
        drop_rows(conn, &changes.dropped).await?;
    }
    if !changes.put.is_empty() {
        put_rows(conn, &changes.put).await?;
    }
    Ok(())
}

async fn put_rows(conn: &mut PgConnection, rows: &[(&ChainId, OrganizationState)]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(rows.iter().map(|(chain, _)| *chain));
    sqlx::query(PUT)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(rows.iter().map(|(_, state)| organization_state(*state)).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

async fn drop_rows(conn: &mut PgConnection, keys: &[(&ChainId, ())]) -> Result<(), sqlx::Error> {
    let chains = ChainColumns::of(keys.iter().map(|(chain, _)| *chain));
    sqlx::query(DROP).bind(chains.organizations).bind(chains.origins).bind(chains.streams).execute(conn).await.map(drop)
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

fn read((organization, origin, stream, state): Columns) -> Result<(ChainId, Row), StoreError> {
    let state = parse(&ORGANIZATION_STATES, organization_state, &state, "organization.state")?;
    Ok((chain_id(organization, origin, &stream)?, Row::Organization(state)))
}
