//! Appending entries. The caller holds the lease, so there is one writer at a time.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use writ_contract::{Hash, OrganizationId};

use super::counts;
use crate::delimited::packed;
use crate::entry::Entry;
use crate::hash_chain::{self, LastEntry, Link};

/// Appends those of `entries` that are new, in their order. Returns how many were appended for each origin and topic.
pub async fn append(tx: &mut PgConnection, entries: &[Entry]) -> Result<Vec<counts::TopicCount>, sqlx::Error> {
    let new = unseen(tx, entries).await?;
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let last = last_entries(tx, new.iter().map(|(_, entry)| entry.organization)).await?;
    let links = hash_chain::extend(last, new.iter().map(|(_, entry)| *entry));
    let keys: Vec<Hash> = new.iter().map(|(key, _)| *key).collect();
    insert(tx, &keys, &links).await?;
    counts::add(tx, new.iter().map(|(_, entry)| *entry)).await
}

/// The entries that are neither stored yet nor earlier in the batch.
async fn unseen<'a>(tx: &mut PgConnection, entries: &'a [Entry]) -> Result<Vec<(Hash, &'a Entry)>, sqlx::Error> {
    let keyed: Vec<_> = entries.iter().map(|entry| (hash_chain::record_key(entry), entry)).collect();
    let keys: Vec<Hash> = keyed.iter().map(|(key, _)| *key).collect();
    let stored: Vec<Hash> =
        sqlx::query_scalar("SELECT record_key FROM entry WHERE record_key = ANY($1)").bind(keys).fetch_all(tx).await?;
    let mut seen: HashSet<Hash> = stored.into_iter().collect();
    Ok(keyed.into_iter().filter(|(key, _)| seen.insert(*key)).collect())
}

async fn last_entries(
    tx: &mut PgConnection,
    organizations: impl Iterator<Item = OrganizationId>,
) -> Result<HashMap<OrganizationId, LastEntry>, sqlx::Error> {
    let organizations: HashSet<_> = organizations.collect();
    let rows: Vec<(OrganizationId, i64, Hash)> = sqlx::query_as(
        "SELECT o.id, last.sequence, last.chain FROM unnest($1::uuid[]) AS o (id), LATERAL \
         (SELECT sequence, chain FROM entry WHERE organization = o.id ORDER BY sequence DESC LIMIT 1) AS last",
    )
    .bind(organizations.into_iter().collect::<Vec<_>>())
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|(id, sequence, chain)| (id, LastEntry { sequence, chain })).collect())
}

async fn insert(tx: &mut PgConnection, keys: &[Hash], links: &[Link<'_>]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO entry (organization, sequence, leaf, chain, record_key, origin, topic, source, record_id, \
         record_type, occurred_at, actor_kind, actor_id, defect, key, headers, payload, payload_hash) \
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], \
         $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::bytea[], \
         $16::bytea[], $17::bytea[], $18::bytea[])",
    )
    .bind(column(links, |link| link.entry.organization))
    .bind(column(links, |link| link.sequence))
    .bind(column(links, |link| link.leaf))
    .bind(column(links, |link| link.chain))
    .bind(keys)
    .bind(column(links, |link| link.entry.origin))
    .bind(column(links, |link| link.entry.topic.as_str()))
    .bind(column(links, |link| link.entry.source.as_str()))
    .bind(column(links, |link| link.entry.id.as_str()))
    .bind(column(links, |link| link.entry.record_type.as_str()))
    .bind(column(links, |link| link.entry.occurred_at))
    .bind(column(links, |link| link.entry.actor.as_ref().map(|actor| actor.kind)))
    .bind(column(links, |link| link.entry.actor.as_ref().map(|actor| actor.id.as_str())))
    .bind(column(links, |link| link.entry.defect.as_ref().map(|defect| defect.as_str())))
    .bind(column(links, |link| link.entry.key.as_deref()))
    .bind(column(links, |link| packed(&link.entry.headers)))
    .bind(column(links, |link| link.entry.payload.as_deref()))
    .bind(column(links, |link| link.entry.payload_hash))
    .execute(tx)
    .await?;
    Ok(())
}

fn column<'a, T>(links: &[Link<'a>], of: impl Fn(&Link<'a>) -> T) -> Vec<T> {
    links.iter().map(of).collect()
}
