//! PostgreSQL: the connection pool, waiting for a server that is not up yet, migrations.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Deserialize;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use writ_log::database::{LIMIT, bounded, reason, within};
use writ_log::loops::LoopTurns;

use crate::health::ReadinessCheck;

const MAX_CONNECTIONS: u32 = 16;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that were idle for longer are tested before use. Testing each time would cost a round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// Less than the time to acquire a connection, so that there is time for another one.
const TEST_TIMEOUT: Duration = Duration::from_secs(1);
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const PROBE_EVERY: Duration = Duration::from_secs(2);

/// `WRIT_DATABASE_URL`: the service's own database, with role and password.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(PgConnectOptions);

/// The text is not the URL of a database. Does not repeat it, because it may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected postgres://role:password@host:port/database")]
pub struct InvalidDatabaseUrl;

impl DatabaseUrl {
    /// The options to connect with.
    pub fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = InvalidDatabaseUrl;

    fn try_from(url: String) -> Result<Self, InvalidDatabaseUrl> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(InvalidDatabaseUrl);
        }
        PgConnectOptions::from_str(&url).map(Self).map_err(|_| InvalidDatabaseUrl)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DatabaseUrl(…)")
    }
}

/// Connects, applies pending migrations and returns a pool. Waits while the server is unreachable or refuses; `check`
/// and the log say why.
///
/// # Errors
/// If a migration fails: the database belongs to another version of the program, or the role may not change tables.
pub async fn open(options: PgConnectOptions, migrator: &Migrator, check: &ReadinessCheck) -> anyhow::Result<PgPool> {
    wait_for_server(&options, check).await;
    check.fail("migrating");
    let pool = pool(options);
    if !is_up_to_date(&pool, migrator).await? {
        migrator.run(&pool).await.context("run it once with `migrate`, as the database's owner")?;
    }
    check.pass();
    Ok(pool)
}

/// Whether all migrations are applied, with equal checksums. Then the migrator need not run, which a role that may only
/// change rows could not do.
async fn is_up_to_date(pool: &PgPool, migrator: &Migrator) -> Result<bool, sqlx::Error> {
    let known = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(pool);
    if !within(LIMIT, known).await? {
        return Ok(false);
    }
    let applied = sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success").fetch_all(pool);
    let applied: Vec<(i64, Vec<u8>)> = within(LIMIT, applied).await?;
    let is_applied = |version, checksum: &[u8]| applied.iter().any(|(v, c)| (*v, c.as_slice()) == (version, checksum));
    Ok(applied.len() == migrator.iter().count() && migrator.iter().all(|m| is_applied(m.version, &m.checksum)))
}

/// Updates `check` with whether the database answers, until the pool is closed.
pub async fn watch(pool: PgPool, check: ReadinessCheck) {
    let turns = LoopTurns::new("database");
    while !pool.is_closed() {
        turns.note();
        tokio::time::sleep(PROBE_EVERY).await;
        let begun = Instant::now();
        let answer = bounded(&pool, ACQUIRE_TIMEOUT, PgConnection::ping).await;
        metrics::histogram!("writ_database_acquire_seconds").record(begun.elapsed());
        match answer {
            Ok(()) => check.pass(),
            Err(error) => check.fail(reason(&error)),
        }
    }
}

/// Sets the gauges of a pool.
pub(crate) fn measure(name: &'static str, pool: &PgPool) {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    let states = [("in_use", pool.size().saturating_sub(idle)), ("idle", idle)];
    for (state, count) in states {
        metrics::gauge!("writ_database_connections", "pool" => name, "state" => state).set(f64::from(count));
    }
    metrics::gauge!("writ_database_connections_max", "pool" => name)
        .set(f64::from(pool.options().get_max_connections()));
}

/// Combines the migrations of several crates, ordered by version.
pub fn merged(migrators: &[&Migrator]) -> Migrator {
    let all = migrators.iter().flat_map(|migrator| migrator.iter());
    Migrator::with_migrations(all.cloned().collect())
}

fn pool(options: PgConnectOptions) -> PgPool {
    pool_of(MAX_CONNECTIONS, limited(options))
}

/// Another pool of at most `size` connections, on which no statement waits for a lock for long: whoever has it may be
/// another replica.
pub(crate) fn second_pool(options: PgConnectOptions, size: u32) -> PgPool {
    pool_of(size, limited(options).options([("lock_timeout", "5s")]))
}

fn pool_of(size: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_IDLE {
                    // Fails for a connection whose server is silent, which is then closed hard.
                    within(TEST_TIMEOUT, connection.ping()).await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// A statement or transaction that hangs must not keep its locks.
fn limited(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("statement_timeout", "120s"), ("idle_in_transaction_session_timeout", "60s")])
}

/// Connects without the pool, which would hide the cause behind its own time-out.
async fn wait_for_server(options: &PgConnectOptions, check: &ReadinessCheck) {
    let mut wait = FIRST_WAIT;
    while let Err(error) = try_connection(options).await {
        let reason = reason(&error);
        tracing::warn!(reason, "waiting for PostgreSQL");
        check.fail(reason);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn try_connection(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let connection = within(ACQUIRE_TIMEOUT, PgConnection::connect_with(options)).await?;
    within(ACQUIRE_TIMEOUT, connection.close()).await
}

#[cfg(test)]
mod tests;
