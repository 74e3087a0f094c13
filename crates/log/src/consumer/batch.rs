//! Processes a batch: all of it in one transaction or, if there is a record in it that cannot be processed, in several
//! and without that record, which is set aside.

use std::panic::{self, AssertUnwindSafe};

use super::persist::persist;
use super::{Consumer, Projection};
use crate::backoff::Backoff;
use crate::lease::LeaseError;
use crate::{ConsumedRecord, position, trace};

/// Why records could not be processed. Nothing of them is left in memory.
enum Failure {
    /// The record at this place panics.
    Panic { at: usize },
    /// PostgreSQL, or the encoding for it, refuses the effects of one of them.
    Refused(sqlx::Error),
}

/// Returns when the effects of all records and the positions after them are committed, exactly once.
pub(super) async fn process<P: Projection>(
    consumer: &Consumer,
    projection: &mut P,
    batch: &[ConsumedRecord],
) -> Result<(), LeaseError> {
    // The next part is the last one.
    let mut parts = vec![batch];
    while let Some(part) = parts.pop() {
        let Err(failure) = attempt(consumer, projection, part).await? else { continue };
        let (before, rest) = match (part, &failure) {
            ([], _) => continue,
            ([record], _) => {
                set_aside(consumer, projection, record, &failure).await?;
                continue;
            }
            (_, Failure::Panic { at }) => part.split_at((*at).max(1)),
            (_, Failure::Refused(_)) => part.split_at(part.len() / 2),
        };
        parts.extend([rest, before]);
    }
    Ok(())
}

async fn attempt<P: Projection>(
    consumer: &Consumer,
    projection: &mut P,
    part: &[ConsumedRecord],
) -> Result<Result<(), Failure>, LeaseError> {
    let mut effects = P::Effects::default();
    for (at, record) in part.iter().enumerate() {
        let planned = panic::catch_unwind(AssertUnwindSafe(|| projection.plan_one(record, &mut effects)));
        if planned.is_err() {
            projection.take_back(effects);
            return Ok(Err(Failure::Panic { at }));
        }
    }
    if let Err(refused) = persist(consumer, projection, &effects, &position::after(part)).await? {
        projection.take_back(effects);
        return Ok(Err(Failure::Refused(refused)));
    }
    finish(projection, effects);
    Ok(Ok(()))
}

fn finish<P: Projection>(projection: &mut P, effects: P::Effects) {
    trace::end(P::spans(&effects));
    projection.committed(effects);
}

async fn set_aside<P: Projection>(
    consumer: &Consumer,
    projection: &mut P,
    record: &ConsumedRecord,
    failure: &Failure,
) -> Result<(), LeaseError> {
    let ConsumedRecord { topic, partition, offset, .. } = record;
    let reason = failure.describe();
    tracing::error!(topic, partition, offset, reason, "a record cannot be processed and is set aside");
    consumer.handle.sets_aside(failure.kind());
    let mut effects = P::Effects::default();
    projection.set_aside(record, &reason, &mut effects);
    let mut backoff = Backoff::new();
    let reached = position::after(std::slice::from_ref(record));
    // There is nothing in these effects that a sender chooses and PostgreSQL could refuse. If it does all the same, the
    // record must not be lost.
    while let Err(refused) = persist(consumer, projection, &effects, &reached).await? {
        consumer.handle.waits_for_database(&refused);
        backoff.wait().await;
    }
    finish(projection, effects);
    Ok(())
}

impl Failure {
    /// Value of the label in metrics.
    fn kind(&self) -> &'static str {
        match self {
            Self::Panic { .. } => "panic",
            Self::Refused(_) => "refused",
        }
    }

    /// For operators. Contains nothing of the record: neither the text of the panic nor that of PostgreSQL.
    fn describe(&self) -> String {
        match self {
            Self::Panic { .. } => "processing it panics".to_owned(),
            Self::Refused(sqlx::Error::Database(error)) => {
                format!("PostgreSQL refuses its effects (SQLSTATE {})", error.code().unwrap_or_default())
            }
            Self::Refused(_) => "its effects cannot be encoded for PostgreSQL".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
