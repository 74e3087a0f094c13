//! Calls of background loops to PostgreSQL. None waits without an end: a server that is gone without closing its connections
//! gives no sign, and sqlx sets no keep-alive on its sockets.

use std::io;
use std::time::Duration;

use futures::{Stream, TryStreamExt};
use sqlx::Error;
use sqlx::postgres::{PgConnection, PgPool};
use tokio::time::timeout;

/// Time limit of most calls.
pub const LIMIT: Duration = Duration::from_secs(30);
/// Time limit of calls that take milliseconds.
pub const SMALL_CALL: Duration = Duration::from_secs(5);
/// Time limit of calls that may have a whole table to do, or an organization of any size.
pub const LONG_CALL: Duration = Duration::from_secs(240);

/// The result of `call` on a connection of `pool`. If it is not there within `limit`, the connection is closed hard,
/// without a word to the server; it does not go back to the pool, where it would wait for the server again.
///
/// # Errors
/// That of `call`, or [`Error::Io`] if the time is over.
pub async fn bounded<T, E: From<Error>>(
    pool: &PgPool,
    limit: Duration,
    call: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<T, E> {
    let mut connection = within(limit, pool.acquire()).await?;
    let Ok(result) = timeout(limit, call(&mut connection)).await else {
        drop(connection.detach());
        return Err(silent(limit).into());
    };
    // On its way back to the pool a connection is tested, which sqlx would let wait without an end, too.
    tokio::spawn(timeout(SMALL_CALL, connection.return_to_pool()));
    result
}

/// The result of `call`, which does not use a pool, if it is there within `limit`.
///
/// # Errors
/// That of `call`, or [`Error::Io`] if the time is over.
pub async fn within<T>(limit: Duration, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(limit, call).await.unwrap_or_else(|_| Err(silent(limit)))
}

/// The next row of a query of any length, if it is there in time.
///
/// # Errors
/// That of the query, or [`Error::Io`] if the time is over.
pub async fn next_row<T>(rows: &mut (impl Stream<Item = Result<T, Error>> + Unpin)) -> Result<Option<T>, Error> {
    within(LIMIT, rows.try_next()).await
}

fn silent(limit: Duration) -> Error {
    let text = format!("PostgreSQL did not answer within {} s", limit.as_secs());
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, text))
}

/// Whether an error is about the data of a call: PostgreSQL, or the encoding for it, refuses them, and always will. Any
/// other error is about the server or the connection, and may be over at the next attempt.
pub fn is_about_data(error: &Error) -> bool {
    match error {
        Error::Encode(_) => true,
        // Data exception, integrity constraint violation, program limit exceeded.
        Error::Database(error) => {
            error.code().is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}

/// The part of an error that may be shown and logged: neither the statement nor data.
pub fn reason(error: &Error) -> String {
    match error {
        // About an address or a connection: contains no secret, and the error kind alone says too little.
        Error::Io(error) => error.to_string(),
        Error::Database(error) => match error.code() {
            Some(code) => format!("refused by PostgreSQL (SQLSTATE {code})"),
            None => "refused by PostgreSQL".to_owned(),
        },
        Error::Encode(_) => "cannot be encoded for PostgreSQL".to_owned(),
        Error::PoolTimedOut => "no connection in time".to_owned(),
        _ => "connection failed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
