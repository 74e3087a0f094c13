use std::time::Duration;

use sqlx::PgPool;
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(10);

async fn end_sessions(pool: &PgPool) {
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks
         WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .execute(pool)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn only_one_holds_it(pool: PgPool) {
    let first = Lease::acquire(&pool, "consumer").await;
    assert!(Lease::try_acquire(&pool, "consumer").await.unwrap().is_none());
    assert!(Lease::try_acquire(&pool, "other").await.unwrap().is_some());
    drop(first);
    let second = timeout(SOON, Lease::acquire(&pool, "consumer")).await.unwrap();
    assert_eq!(second.fence(), 2);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn the_old_holder_is_fenced_off(pool: PgPool) {
    let old = Lease::acquire(&pool, "consumer").await;
    old.check(&mut pool.acquire().await.unwrap()).await.unwrap();
    // What a take-over during a hang leaves behind.
    sqlx::query("UPDATE lease SET fence = fence + 1").execute(&pool).await.unwrap();
    let refused = old.check(&mut pool.acquire().await.unwrap()).await;
    assert!(matches!(refused, Err(LeaseError::Lost(name)) if name == "consumer"));
    assert!(old.lost.is_cancelled());
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn an_idle_holder_learns_of_a_take_over(pool: PgPool) {
    let old = Lease::acquire(&pool, "consumer").await;
    sqlx::query("UPDATE lease SET fence = fence + 1").execute(&pool).await.unwrap();
    timeout(SOON, old.lost()).await.unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_take_over_waits_for_a_checked_transaction(pool: PgPool) {
    let lease = Lease::acquire(&pool, "consumer").await;
    let mut tx = pool.begin().await.unwrap();
    lease.check(&mut tx).await.unwrap();
    let mut other = pool.begin().await.unwrap();
    sqlx::query("SET LOCAL lock_timeout = '100ms'").execute(&mut *other).await.unwrap();
    let raised = sqlx::query("UPDATE lease SET fence = fence + 1").execute(&mut *other).await;
    assert!(raised.is_err(), "the fence rose while a transaction relied on it");
    tx.commit().await.unwrap();
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn the_tenure_outlives_a_broken_session(pool: PgPool) {
    let lease = Lease::acquire(&pool, "consumer").await;
    end_sessions(&pool).await;
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let reopened = async {
        while sqlx::query_scalar::<_, i64>(held).fetch_one(&pool).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, reopened).await.unwrap();
    lease.check(&mut pool.acquire().await.unwrap()).await.unwrap();
    assert!(!lease.lost.is_cancelled());
}
