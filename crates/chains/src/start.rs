//! What happens before the first record is read.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};

use sqlx::{Connection, PgConnection, PgPool};
use writ_contract::OrganizationId;
use writ_contract::policy_change::ChainState;
use writ_log::Lease;
use writ_log::consumer::Projection;
use writ_log::database::{LONG_CALL, bounded, is_about_data, reason};
use writ_log::lease::LeaseError;
use writ_log::park::Parked;

use crate::{SharedIndex, store};

/// Processes again, one organization after the other, what an earlier build could not: `retry` adds the effects of an
/// organization's parked records, of which there may be none if only its chains are parked. What still cannot be processed
/// or written stays as it is.
///
/// # Errors
/// When another process holds the lease, or PostgreSQL does not answer.
pub async fn retry_parked<P: Projection>(
    pool: &PgPool,
    lease: &Lease,
    index: &SharedIndex,
    projection: &mut P,
    retry: impl Fn(&mut P, OrganizationId, Vec<Parked>, &mut P::Effects),
) -> Result<(), LeaseError> {
    for (organization, records) in waiting(pool, index).await? {
        let mut effects = P::Effects::default();
        let retried = panic::catch_unwind(AssertUnwindSafe(|| retry(projection, organization, records, &mut effects)));
        let written = match retried {
            Ok(()) => write(pool, lease, projection, &effects).await,
            Err(_) => Ok(Err("a panic".to_owned())),
        }?;
        match written {
            Ok(()) => projection.committed(effects),
            Err(reason) => {
                tracing::error!(%organization, reason, "what is parked stays parked");
                projection.take_back(effects);
            }
        }
    }
    Ok(())
}

/// The organizations that have parked records or chains, with their records.
async fn waiting(pool: &PgPool, index: &SharedIndex) -> Result<BTreeMap<OrganizationId, Vec<Parked>>, sqlx::Error> {
    let mut waiting: BTreeMap<_, Vec<_>> = index.read(|index| {
        let parked = index.heads().filter(|standing| standing.head.state == ChainState::Parked);
        parked.map(|standing| (standing.head.chain.organization, Vec::new())).collect()
    });
    for parked in store::parked(pool).await? {
        waiting.entry(parked.organization).or_default().push(parked);
    }
    Ok(waiting)
}

/// Writes effects. The inner error says why PostgreSQL refuses the data.
async fn write<P: Projection>(
    pool: &PgPool,
    lease: &Lease,
    projection: &mut P,
    effects: &P::Effects,
) -> Result<Result<(), String>, LeaseError> {
    let written = bounded(pool, LONG_CALL, async |connection: &mut PgConnection| {
        let mut tx = connection.begin().await?;
        lease.check(&mut tx).await?;
        projection.persist(&mut tx, effects).await?;
        Ok::<_, LeaseError>(tx.commit().await?)
    });
    match written.await {
        Err(LeaseError::Database(error)) if is_about_data(&error) => Ok(Err(reason(&error))),
        written => written.map(Ok),
    }
}
