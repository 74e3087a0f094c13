//! Writes effects and positions in one transaction, and retries until it commits or PostgreSQL refuses the data.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Error};

use super::{Consumer, Projection};
use crate::backoff::Backoff;
use crate::database::{self, bounded, is_about_data};
use crate::lease::LeaseError;
use crate::position::{self, LogPosition};
use crate::trace;

/// Returns when `effects` and the positions `reached` are committed, exactly once, or the error with which PostgreSQL
/// refuses the data. Any other error is waited out.
pub(super) async fn persist<P: Projection>(
    consumer: &Consumer,
    projection: &mut P,
    effects: &P::Effects,
    reached: &[LogPosition],
) -> Result<Result<(), Error>, LeaseError> {
    let mut backoff = Backoff::new();
    let (mut limit, mut again) = (database::LIMIT, false);
    loop {
        consumer.turns.note();
        let transactions = trace::transaction_spans(P::spans(effects));
        let refused = match attempt(consumer, projection, effects, reached, limit, again).await {
            Ok(()) => break,
            Err(LeaseError::Database(error)) => error,
            Err(lost) => return Err(lost),
        };
        trace::fail_transaction(&transactions);
        drop(transactions);
        if is_about_data(&refused) {
            return Ok(Err(refused));
        }
        consumer.handle.waits_for_database(&refused);
        if matches!(&refused, Error::Io(cause) if cause.kind() == ErrorKind::TimedOut) {
            // So that effects that take long are written after all.
            limit = (limit * 2).min(database::LONG_CALL);
        }
        again = true;
        backoff.wait().await;
    }
    consumer.handle.database_answers();
    Ok(Ok(()))
}

async fn attempt<P: Projection>(
    consumer: &Consumer,
    projection: &mut P,
    effects: &P::Effects,
    reached: &[LogPosition],
    limit: Duration,
    again: bool,
) -> Result<(), LeaseError> {
    bounded(&consumer.pool, limit, async |connection: &mut PgConnection| {
        let mut tx = connection.begin().await?;
        if again {
            if committed_before(consumer, &mut tx, reached).await? {
                return Ok(());
            }
            // A statement may take as long as the attempt.
            let limit = limit.as_millis().to_string();
            sqlx::query("SELECT set_config('statement_timeout', $1, true)").bind(limit).execute(&mut *tx).await?;
        }
        projection.persist(&mut tx, effects).await?;
        position::advance(&mut tx, &consumer.lease, reached).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// Whether an earlier attempt was committed although its answer was lost.
async fn committed_before(
    consumer: &Consumer,
    tx: &mut PgConnection,
    reached: &[LogPosition],
) -> Result<bool, LeaseError> {
    consumer.lease.check(tx).await?;
    match reached.first() {
        Some(first) => Ok(position::is_recorded(tx, consumer.lease.name(), first).await?),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests;
