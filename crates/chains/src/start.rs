//! What happens before the first record is read.

use sqlx::PgPool;
use writ_log::Lease;
use writ_log::consumer::Projection;
use writ_log::lease::LeaseError;

/// Writes effects that no batch of the consumer has, such as those of records that were parked.
///
/// # Errors
/// When another process holds the lease, or PostgreSQL refuses.
pub async fn persist<P: Projection>(
    pool: &PgPool,
    lease: &Lease,
    projection: &mut P,
    effects: P::Effects,
) -> Result<(), LeaseError> {
    let mut tx = pool.begin().await?;
    lease.check(&mut tx).await?;
    projection.persist(&mut tx, &effects).await?;
    tx.commit().await?;
    projection.committed(effects);
    Ok(())
}
