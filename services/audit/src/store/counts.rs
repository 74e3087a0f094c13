//! How many entries there are of each topic.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgExecutor};
use writ_contract::Region;

use crate::entry::Entry;

/// Entries of one topic of one region.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct TopicCount {
    /// Region the records come from.
    pub origin: Region,
    /// The topic's name there.
    pub topic: String,
    /// Number of entries.
    pub entries: i64,
}

/// All counts, by origin and topic.
pub async fn counts(database: impl PgExecutor<'_>) -> Result<Vec<TopicCount>, sqlx::Error> {
    sqlx::query_as("SELECT origin, topic, entries FROM topic_count ORDER BY origin, topic").fetch_all(database).await
}

/// Adds `entries` to the counts, and returns what was added.
pub(super) async fn add<'a>(
    tx: &mut PgConnection,
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<Vec<TopicCount>, sqlx::Error> {
    let mut added = BTreeMap::<(Region, &str), i64>::new();
    for entry in entries {
        *added.entry((entry.origin, &entry.topic)).or_default() += 1;
    }
    let added: Vec<_> = added
        .into_iter()
        .map(|((origin, topic), entries)| TopicCount { origin, topic: topic.to_owned(), entries })
        .collect();
    sqlx::query(
        "INSERT INTO topic_count SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) \
         ON CONFLICT (origin, topic) DO UPDATE SET entries = topic_count.entries + excluded.entries",
    )
    .bind(added.iter().map(|count| count.origin).collect::<Vec<_>>())
    .bind(added.iter().map(|count| count.topic.as_str()).collect::<Vec<_>>())
    .bind(added.iter().map(|count| count.entries).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(added)
}
