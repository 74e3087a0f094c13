//! What happens before the first record is read.

use sqlx::PgPool;
use writ_contract::SchemaRegistry;
use writ_log::Lease;
use writ_log::consumer::{ConsumerConfig, Projection};
use writ_log::lease::LeaseError;
use writ_log::schemas::{FollowError, Follower};

/// Learns the schemas of all writers that `config` reads from. Newer ones are learnt as long as the follower lives.
///
/// # Errors
/// When the settings are wrong.
pub async fn learn_schemas(config: &ConsumerConfig, registry: &SchemaRegistry) -> Result<Follower, FollowError> {
    let follower = Follower::start(config, registry.clone())?;
    follower.handle().until_caught_up().await;
    Ok(follower)
}

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
