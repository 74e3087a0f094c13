//! Where each chain stands.

use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;
use writ_contract::policy_change::Head;
use writ_contract::{ChainId, Hash, Timestamp};
use writ_policy::{Halt, History, Position, Standing};

use crate::StoreError;
use crate::names::{CHAIN_STATES, chain_state, parse};

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
pub(crate) async fn put(conn: &mut PgConnection, standings: &[&Standing]) -> Result<(), sqlx::Error> {
    if standings.is_empty() {
        return Ok(());
    }
    let column =
        |value: fn(&Standing) -> i64| -> Vec<i64> { standings.iter().map(|standing| value(standing)).collect() };
    let hashes = |value: fn(&Standing) -> &Hash| -> Vec<&[u8]> {
        standings.iter().map(|standing| &value(standing).0[..]).collect()
    };
    let chains = ChainColumns::of(standings.iter().map(|standing| &standing.head.chain));
    sqlx::query(PUT)
        .bind(chains.organizations)
        .bind(chains.origins)
        .bind(chains.streams)
        .bind(column(|standing| standing.head.epoch))
        .bind(column(|standing| standing.head.revision))
        .bind(hashes(|standing| &standing.head.digest))
        .bind(hashes(|standing| &standing.head.state_digest))
        .bind(standings.iter().map(|standing| chain_state(standing.head.state)).collect::<Vec<_>>())
        .bind(standings.iter().map(|standing| standing.halt.map(Halt::as_str)).collect::<Vec<_>>())
        .bind(column(|standing| standing.committed_at.0))
        .bind(column(|standing| standing.seen.epoch))
        .bind(column(|standing| standing.seen.revision))
        .bind(standings.iter().map(|standing| standing.history.to_bytes()).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// The columns that name a chain, for many rows at once.
#[derive(Default)]
pub(crate) struct ChainColumns<'a> {
    pub(crate) organizations: Vec<Uuid>,
    pub(crate) origins: Vec<&'a str>,
    pub(crate) streams: Vec<&'static str>,
}

impl<'a> ChainColumns<'a> {
    pub(crate) fn of(chains: impl Iterator<Item = &'a ChainId>) -> Self {
        let mut columns = Self::default();
        for chain in chains {
            columns.organizations.push(chain.organization);
            columns.origins.push(&chain.origin);
            columns.streams.push(chain.stream.as_str());
        }
        columns
    }
}

/// The chain that three columns name.
pub(crate) fn chain_id(organization: Uuid, origin: String, stream: &str) -> Result<ChainId, StoreError> {
    let stream = stream.parse().map_err(|_| StoreError::Corrupt { column: "chain.stream" })?;
    Ok(ChainId { organization, origin, stream })
}

type Columns = (Uuid, String, String, i64, i64, Vec<u8>, Vec<u8>, String, Option<String>, i64, i64, i64, Vec<u8>);

/// Every chain.
pub(crate) async fn load(conn: &mut PgConnection) -> Result<Vec<Standing>, StoreError> {
    let statement = "SELECT organization, origin, stream, epoch, revision, digest, state_digest, state, reason,
                            committed_at, seen_epoch, seen_revision, history FROM chain";
    let rows = sqlx::query_as::<_, Columns>(statement).fetch(conn);
    rows.map_err(StoreError::from).and_then(async |row| standing(row)).try_collect().await
}

fn standing(row: Columns) -> Result<Standing, StoreError> {
    let (
        organization,
        origin,
        stream,
        epoch,
        revision,
        digest,
        state_digest,
        state,
        reason,
        at,
        seen_epoch,
        seen,
        history,
    ) = row;
    let head = Head {
        chain: chain_id(organization, origin, &stream)?,
        epoch,
        revision,
        digest: hash(&digest, "chain.digest")?,
        state_digest: hash(&state_digest, "chain.state_digest")?,
        state: parse(&CHAIN_STATES, chain_state, &state, "chain.state")?,
    };
    let halt = reason.map(|reason| reason.parse::<Halt>()).transpose();
    Ok(Standing {
        head,
        committed_at: Timestamp(at),
        halt: halt.map_err(|_| StoreError::Corrupt { column: "chain.reason" })?,
        seen: Position { epoch: seen_epoch, revision: seen },
        history: History::from_bytes(&history).ok_or(StoreError::Corrupt { column: "chain.history" })?,
    })
}

/// The hash that a column holds.
pub(crate) fn hash(bytes: &[u8], column: &'static str) -> Result<Hash, StoreError> {
    bytes.try_into().map(Hash).map_err(|_| StoreError::Corrupt { column })
}
