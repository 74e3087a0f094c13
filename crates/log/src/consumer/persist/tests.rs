use sqlx::PgPool;
use sqlx::postgres::PgConnection;
use tracing::Span;
use writ_kafka::Connection;

use super::*;
use crate::testing::config;
use crate::{ConsumedRecord, Lease};

/// Fails a number of times, by an error of PostgreSQL, before it inserts a row.
struct Flaky {
    failures: usize,
    /// A statement that fails.
    by: &'static str,
}

impl Flaky {
    fn new(failures: usize) -> Self {
        // What PostgreSQL says when it shuts down.
        Self { failures, by: "DO $$ BEGIN RAISE EXCEPTION 'down' USING ERRCODE = 'admin_shutdown'; END $$" }
    }
}

impl Projection for Flaky {
    type Effects = i64;

    fn plan_one(&mut self, _: &ConsumedRecord, effects: &mut i64) {
        *effects = 7;
    }

    fn take_back(&mut self, _: i64) {}

    fn set_aside(&mut self, _: &ConsumedRecord, _: &str, _: &mut i64) {}

    async fn persist(&mut self, tx: &mut PgConnection, effects: &i64) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO effect VALUES ($1)").bind(effects).execute(&mut *tx).await?;
        if self.failures > 0 {
            self.failures -= 1;
            sqlx::query(self.by).execute(tx).await?;
        }
        Ok(())
    }

    fn spans(_: &i64) -> &[Span] {
        &[]
    }

    fn committed(&mut self, _: i64) {}
}

async fn consumer(pool: &PgPool) -> Consumer {
    sqlx::query("CREATE TABLE effect (value bigint)").execute(pool).await.unwrap();
    Consumer::new(config(Connection::plaintext("")), pool.clone(), Lease::acquire(pool, "test").await)
}

fn reached() -> Vec<LogPosition> {
    vec![LogPosition { topic: "t".to_owned(), partition: 0, record_offset: 4, anchor: "id".to_owned() }]
}

async fn effects(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM effect").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn effects_and_positions_are_written_once_after_errors(pool: PgPool) {
    let consumer = consumer(&pool).await;
    persist(&consumer, &mut Flaky::new(2), &7, &reached()).await.unwrap().unwrap();
    assert_eq!(effects(&pool).await, 1);
    assert_eq!(position::load(&pool, "test").await.unwrap(), reached());
    assert_eq!(consumer.handle.status().database, None);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_commit_whose_answer_was_lost_is_not_repeated(pool: PgPool) {
    let consumer = consumer(&pool).await;
    let mut projection = Flaky::new(0);
    attempt(&consumer, &mut projection, &7, &reached(), database::LIMIT, false).await.unwrap();
    attempt(&consumer, &mut projection, &7, &reached(), database::LIMIT, true).await.unwrap();
    assert_eq!(effects(&pool).await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_superseded_process_writes_nothing(pool: PgPool) {
    let consumer = consumer(&pool).await;
    sqlx::query("UPDATE lease SET fence = fence + 1").execute(&pool).await.unwrap();
    let refused = persist(&consumer, &mut Flaky::new(0), &7, &reached()).await;
    assert!(matches!(refused, Err(LeaseError::Lost(_))));
    assert_eq!(effects(&pool).await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn what_postgresql_refuses_is_not_tried_again(pool: PgPool) {
    let consumer = consumer(&pool).await;
    let mut projection = Flaky { failures: usize::MAX, by: "SELECT 1 / 0" };
    let refused = persist(&consumer, &mut projection, &7, &reached()).await.unwrap().unwrap_err();
    assert!(is_about_data(&refused), "{refused}");
    assert_eq!(effects(&pool).await, 0);
    assert!(position::load(&pool, "test").await.unwrap().is_empty());
}
