//! Appending entries. Whoever calls holds the lease, so nobody appends at the same time.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use uuid::Uuid;
use writ_contract::Hash;

use super::counts;
use crate::chain::{self, Head, Link};
use crate::record::Entry;

/// Appends those of `entries` that are not there yet, in their order, and says how many there
/// were of each origin and topic.
///
/// # Errors
/// What PostgreSQL says.
pub async fn append(tx: &mut PgConnection, entries: &[Entry]) -> Result<Vec<counts::TopicCount>, sqlx::Error> {
    let new = unseen(tx, entries).await?;
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let heads = heads(tx, new.iter().map(|(_, entry)| entry.organization)).await?;
    let links = chain::extend(heads, new.iter().map(|(_, entry)| *entry));
    let keys: Vec<&[u8]> = new.iter().map(|(key, _)| &key.0[..]).collect();
    insert(tx, &keys, &links).await?;
    counts::add(tx, new.iter().map(|(_, entry)| *entry)).await
}

/// The entries that are neither in the record nor twice in the batch.
async fn unseen<'a>(tx: &mut PgConnection, entries: &'a [Entry]) -> Result<Vec<(Hash, &'a Entry)>, sqlx::Error> {
    let keyed: Vec<_> = entries.iter().map(|entry| (chain::record_key(entry), entry)).collect();
    let keys: Vec<&[u8]> = keyed.iter().map(|(key, _)| &key.0[..]).collect();
    let there: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT record_key FROM entry WHERE record_key = ANY($1)").bind(keys).fetch_all(tx).await?;
    let mut seen: HashSet<Vec<u8>> = there.into_iter().collect();
    Ok(keyed.into_iter().filter(|(key, _)| seen.insert(key.0.to_vec())).collect())
}

async fn heads(
    tx: &mut PgConnection,
    organizations: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Head>, sqlx::Error> {
    let organizations: HashSet<Uuid> = organizations.collect();
    let rows: Vec<(Uuid, i64, [u8; 32])> = sqlx::query_as(
        "SELECT o.id, last.sequence, last.chain FROM unnest($1::uuid[]) AS o (id), LATERAL \
         (SELECT sequence, chain FROM entry WHERE organization = o.id ORDER BY sequence DESC LIMIT 1) AS last",
    )
    .bind(organizations.into_iter().collect::<Vec<_>>())
    .fetch_all(tx)
    .await?;
    let head = |(id, sequence, chain)| (id, Head { sequence, chain: Hash(chain) });
    Ok(rows.into_iter().map(head).collect())
}

async fn insert(tx: &mut PgConnection, keys: &[&[u8]], links: &[Link<'_>]) -> Result<(), sqlx::Error> {
    let actor = |link: &Link<'_>| link.entry.actor.clone();
    sqlx::query(
        "INSERT INTO entry (organization, sequence, leaf, chain, record_key, origin, topic, source, record_id, \
         record_type, occurred_at, actor_kind, actor_id, defect, key, headers, payload, payload_hash) \
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], \
         $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::bytea[], \
         $16::bytea[], $17::bytea[], $18::bytea[])",
    )
    .bind(column(links, |link| link.entry.organization))
    .bind(column(links, |link| link.sequence))
    .bind(column(links, |link| link.leaf.0.to_vec()))
    .bind(column(links, |link| link.chain.0.to_vec()))
    .bind(keys)
    .bind(column(links, |link| link.entry.origin.as_str()))
    .bind(column(links, |link| link.entry.topic.as_str()))
    .bind(column(links, |link| link.entry.source.as_str()))
    .bind(column(links, |link| link.entry.id.as_str()))
    .bind(column(links, |link| link.entry.record_type.as_str()))
    .bind(column(links, |link| link.entry.occurred_at.0))
    .bind(column(links, |link| actor(link).map(|actor| chain::actor_kind(actor.kind))))
    .bind(column(links, |link| actor(link).map(|actor| actor.id)))
    .bind(column(links, |link| link.entry.defect.as_deref()))
    .bind(column(links, |link| link.entry.key.as_deref()))
    .bind(column(links, |link| chain::packed(&link.entry.headers)))
    .bind(column(links, |link| link.entry.payload.as_deref()))
    .bind(column(links, |link| link.entry.payload_hash.0.to_vec()))
    .execute(tx)
    .await?;
    Ok(())
}

fn column<'a, T>(links: &[Link<'a>], of: impl Fn(&Link<'a>) -> T) -> Vec<T> {
    links.iter().map(of).collect()
}
