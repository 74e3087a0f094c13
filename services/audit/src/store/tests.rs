use std::collections::HashMap;

use sqlx::PgPool;
use writ_contract::{Hash, OrganizationId};

use super::*;
use crate::delimited::packed;
use crate::entry::tests::entry;
use crate::entry::{Defect, Entry};
use crate::hash_chain;

type EntryRow = (OrganizationId, i64, String, Hash);
/// Key, payload, kind of the actor, defect, headers, time.
type Content = (Option<Vec<u8>>, Option<Vec<u8>>, Option<String>, Option<String>, Vec<u8>, i64);

async fn append_all(pool: &PgPool, entries: &[Entry]) -> Vec<TopicCount> {
    let mut tx = pool.begin().await.unwrap();
    let added = append(&mut tx, entries).await.unwrap();
    tx.commit().await.unwrap();
    added
}

async fn rows(pool: &PgPool) -> Vec<EntryRow> {
    sqlx::query_as("SELECT organization, sequence, record_id, chain FROM entry ORDER BY organization, sequence")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// The rows after `entries`, each appended once.
fn expected(entries: &[Entry]) -> Vec<EntryRow> {
    let links = hash_chain::extend(HashMap::new(), entries);
    let mut rows: Vec<_> =
        links.iter().map(|link| (link.entry.organization, link.sequence, link.entry.id.clone(), link.chain)).collect();
    rows.sort();
    rows
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn entries_are_numbered_and_chained_in_their_order(pool: PgPool) {
    let entries = [entry(1, "a"), entry(2, "b"), entry(1, "c"), entry(1, "d")];
    append_all(&pool, &entries[..2]).await;
    append_all(&pool, &entries[2..]).await;
    assert_eq!(rows(&pool).await, expected(&entries));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn whatever_is_delivered_again_is_appended_once(pool: PgPool) {
    let entries: Vec<_> = (0..20).map(|n| entry(n % 3, &n.to_string())).collect();
    for window in entries.windows(5) {
        let twice = [window, window].concat();
        append_all(&pool, &twice).await;
    }
    assert_eq!(append_all(&pool, &entries).await, []);
    assert_eq!(rows(&pool).await, expected(&entries));
    let counted = TopicCount { origin: "us".parse().unwrap(), topic: "identity-events".into(), entries: 20 };
    assert_eq!(counts(&pool).await.unwrap(), [counted]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn another_record_under_a_used_id_is_not_lost(pool: PgPool) {
    let first = entry(1, "a");
    let mut second = first.clone();
    second.payload = Some(b"other".to_vec());
    second.payload_hash = Hash::of(&[b"other"]);
    second.record_hash = second.payload_hash;
    append_all(&pool, std::slice::from_ref(&first)).await;
    append_all(&pool, std::slice::from_ref(&second)).await;
    assert_eq!(rows(&pool).await, expected(&[first, second]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_row_holds_all_that_was_kept(pool: PgPool) {
    let mut raw = entry(1, "a");
    raw.actor = None;
    raw.key = None;
    raw.payload = Some(vec![0, 0xff, 0]);
    raw.defect = Some(Defect::lossy("not Avro"));
    append_all(&pool, std::slice::from_ref(&raw)).await;
    let row: Content = sqlx::query_as("SELECT key, payload, actor_kind, defect, headers, occurred_at FROM entry")
        .fetch_one(&pool)
        .await
        .unwrap();
    let headers = packed(&raw.headers);
    assert_eq!(row, (None, raw.payload, None, raw.defect.map(|defect| defect.to_string()), headers, raw.occurred_at.0));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_is_recorded_cannot_be_changed_or_removed(pool: PgPool) {
    append_all(&pool, &[entry(1, "a")]).await;
    for statement in ["UPDATE entry SET origin = 'eu'", "DELETE FROM entry", "TRUNCATE entry"] {
        let error = sqlx::query(statement).execute(&pool).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
    assert_eq!(rows(&pool).await.len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_transaction_that_is_not_committed_leaves_nothing(pool: PgPool) {
    let mut tx = pool.begin().await.unwrap();
    append(&mut tx, &[entry(1, "a")]).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(rows(&pool).await, []);
    assert_eq!(counts(&pool).await.unwrap(), []);
}
