//! Writes effects and positions in one transaction, and retries until it commits.

use super::{Consumer, Projection};
use crate::backoff::Backoff;
use crate::lease::LeaseError;
use crate::position::{self, LogPosition};
use crate::trace;

/// Returns when `effects` and the positions `reached` are committed, exactly once.
pub(super) async fn persist<P: Projection>(
    consumer: &Consumer,
    projection: &mut P,
    effects: &P::Effects,
    reached: &[LogPosition],
) -> Result<(), LeaseError> {
    let mut backoff = Backoff::new();
    let mut again = false;
    loop {
        let transactions = trace::transaction_spans(P::spans(effects));
        match attempt(consumer, projection, effects, reached, again).await {
            Ok(()) => break,
            Err(LeaseError::Database(error)) => {
                trace::fail_transaction(&transactions);
                consumer.handle.waits_for_database(&error);
            }
            Err(lost) => return Err(lost),
        }
        drop(transactions);
        again = true;
        backoff.wait().await;
    }
    consumer.handle.database_answers();
    Ok(())
}

async fn attempt<P: Projection>(
    consumer: &Consumer,
    projection: &mut P,
    effects: &P::Effects,
    reached: &[LogPosition],
    again: bool,
) -> Result<(), LeaseError> {
    let mut tx = consumer.pool.begin().await?;
    if again && committed_before(consumer, &mut tx, reached).await? {
        return Ok(());
    }
    projection.persist(&mut tx, effects).await?;
    position::advance(&mut tx, &consumer.lease, reached).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether an earlier attempt was committed although its answer was lost.
async fn committed_before(
    consumer: &Consumer,
    tx: &mut sqlx::PgConnection,
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
