use sqlx::postgres::PgListener;

use super::*;
use crate::outbox::append;
use crate::testing::{count, outgoing, until};

fn row(id: i64, size: usize) -> Appended {
    let mut record = outgoing("t", "a", &id.to_string());
    record.value = Some(vec![0; size]);
    Appended(vec![OutboxRow { id, record }])
}

async fn ids(attached: &Attached) -> Option<Vec<i64>> {
    match attached.handed().await {
        Handed::Rows(rows) => Some(rows.iter().map(|row| row.id).collect()),
        Handed::InTable => None,
    }
}

fn handover() -> Handover {
    let pool = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap();
    Handover::start(pool)
}

#[tokio::test]
async fn rows_arrive_in_order_after_what_is_in_the_table() {
    let handover = handover();
    let attached = handover.attach();
    assert_eq!(ids(&attached).await, None, "what was there before");
    handover.committed(row(1, 1));
    handover.committed(row(2, 1));
    assert_eq!(ids(&attached).await, Some(vec![1, 2]));
    handover.committed(row(3, 1));
    handover.wake();
    handover.committed(row(4, 1));
    assert_eq!(ids(&attached).await, None, "none overtakes what is only in the table");
    handover.committed(row(5, 1));
    assert_eq!(ids(&attached).await, Some(vec![5]));
}

#[tokio::test]
async fn what_waits_is_bounded_by_rows_and_bytes() {
    let handover = handover();
    let attached = handover.attach();
    assert_eq!(ids(&attached).await, None);
    for id in 0..=MOST_ROWS as i64 {
        handover.committed(row(id, 1));
    }
    assert_eq!(ids(&attached).await, None);
    for id in 0..9 {
        handover.committed(row(id, MOST_BYTES / 8));
    }
    assert_eq!(ids(&attached).await, None);
    assert!(handover.shared.queue().rows.is_empty() && handover.shared.queue().bytes == 0);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn the_publisher_of_another_process_is_notified(pool: PgPool) {
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen(CHANNEL).await.unwrap();
    let handover = Handover::start(pool.clone());
    drop(handover.attach());
    let mut tx = pool.begin().await.unwrap();
    let appended = append(&mut tx, vec![outgoing("t", "a", "1")]).await.unwrap();
    tx.commit().await.unwrap();
    handover.committed(appended);
    tokio::time::timeout(SMALL_CALL, listener.recv()).await.expect("a notification").unwrap();
    until("the row", async || count(&pool, "SELECT count(*) FROM outbox").await == 1).await;
    assert!(handover.shared.queue().rows.is_empty());
}

/// From now on commits with rows of the outbox wait until the session that is returned unlocks them.
async fn commits_wait(pool: &PgPool) -> PgConnection {
    let statements = "
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION wait()";
    sqlx::raw_sql(statements).execute(pool).await.unwrap();
    let mut gate = pool.acquire().await.unwrap().detach();
    sqlx::query("SELECT pg_advisory_lock(1)").execute(&mut gate).await.unwrap();
    gate
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn after_a_commit_without_an_answer_the_table_decides(pool: PgPool) {
    let handover = Handover::start(pool.clone());
    let attached = handover.attach();
    assert_eq!(ids(&attached).await, None);
    let commit = async |previous| {
        let (mut tx, writer) = (pool.begin().await.unwrap(), handover.writer());
        let appended = append(&mut tx, vec![outgoing("t", "a", "1")]).await.unwrap();
        handover.commit(tx, appended, previous).await.unwrap();
        Some(writer)
    };
    let first = commit(Some(handover.writer())).await;
    assert_eq!(ids(&attached).await.map(|ids| ids.len()), Some(1));
    let mut gate = commits_wait(&pool).await;
    let mut tx = pool.begin().await.unwrap();
    let appended = append(&mut tx, vec![outgoing("t", "a", "1")]).await.unwrap();
    let mut given_up = Box::pin(handover.commit(tx, appended, first));
    assert!(futures::poll!(&mut given_up).is_pending(), "the answer cannot be here yet");
    drop(given_up);
    sqlx::query("SELECT pg_advisory_unlock(1)").execute(&mut gate).await.unwrap();
    until("the second", async || count(&pool, "SELECT count(*) FROM outbox").await == 2).await;
    let third = commit(first).await;
    assert_eq!(ids(&attached).await, None, "it must not overtake the one that was given up");
    commit(third).await;
    assert_eq!(ids(&attached).await.map(|ids| ids.len()), Some(1));
}
