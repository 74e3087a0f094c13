//! Where each chain stands.

use sqlx::error::BoxDynError;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use writ_contract::Revision;
use writ_contract::policy_change::Head;
use writ_log::database::next_row;
use writ_policy::halt::UnknownHalt;
use writ_policy::{Halt, History, Standing};

use super::table::{Arrays, Encoded, chain_of};

const PUT: &str = "
INSERT INTO chain (organization, origin, stream, epoch, revision, digest, state_digest, state, reason,
                   committed_at, seen_epoch, seen_revision, history)
SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[],
                     $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[])
ON CONFLICT (organization, origin, stream) DO UPDATE SET
    epoch = excluded.epoch, revision = excluded.revision, digest = excluded.digest,
    state_digest = excluded.state_digest, state = excluded.state, reason = excluded.reason,
    committed_at = excluded.committed_at, seen_epoch = excluded.seen_epoch,
    seen_revision = excluded.seen_revision, history = excluded.history";

/// Inserts or replaces standings; no chain twice.
pub(super) async fn put(conn: &mut PgConnection, standings: &[&Standing]) -> Result<(), sqlx::Error> {
    if standings.is_empty() {
        return Ok(());
    }
    let mut arrays = Arrays::default();
    add(standings, &mut arrays).map_err(sqlx::Error::Encode)?;
    sqlx::query_with(PUT, arrays.0).execute(conn).await.map(drop)
}

fn add(standings: &[&Standing], arrays: &mut Arrays) -> Encoded {
    let standings = standings.iter();
    let heads = standings.clone().map(|standing| &standing.head);
    arrays.chains(heads.clone().map(|head| head.chain))?;
    arrays.add(heads.clone().map(|head| head.revision.epoch))?;
    arrays.add(heads.clone().map(|head| head.revision.number))?;
    arrays.add(heads.clone().map(|head| head.digest))?;
    arrays.add(heads.clone().map(|head| head.state_digest))?;
    arrays.add(heads.map(|head| head.state))?;
    arrays.add(standings.clone().map(|standing| standing.halt.map(Halt::as_str)))?;
    arrays.add(standings.clone().map(|standing| standing.committed_at))?;
    arrays.add(standings.clone().map(|standing| standing.seen.epoch))?;
    arrays.add(standings.clone().map(|standing| standing.seen.number))?;
    arrays.add(standings.map(|standing| standing.history.to_bytes()))
}

/// Every chain.
pub(super) async fn load(conn: &mut PgConnection) -> Result<Vec<Standing>, sqlx::Error> {
    let mut rows = sqlx::query("SELECT * FROM chain").fetch(conn);
    let mut standings = Vec::new();
    while let Some(row) = next_row(&mut rows).await? {
        standings.push(read(&row)?);
    }
    Ok(standings)
}

fn read(row: &PgRow) -> Result<Standing, sqlx::Error> {
    let head = Head {
        chain: chain_of(row)?,
        revision: Revision { epoch: row.try_get("epoch")?, number: row.try_get("revision")? },
        digest: row.try_get("digest")?,
        state_digest: row.try_get("state_digest")?,
        state: row.try_get("state")?,
    };
    let halt: Option<&str> = row.try_get("reason")?;
    Ok(Standing {
        head,
        committed_at: row.try_get("committed_at")?,
        halt: halt.map(str::parse).transpose().map_err(|unknown: UnknownHalt| corrupt("reason", unknown.into()))?,
        seen: Revision { epoch: row.try_get("seen_epoch")?, number: row.try_get("seen_revision")? },
        history: History::from_bytes(row.try_get("history")?)
            .ok_or_else(|| corrupt("history", "not a history".into()))?,
    })
}

/// A column holds what this build never writes.
fn corrupt(column: &str, source: BoxDynError) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source }
}
