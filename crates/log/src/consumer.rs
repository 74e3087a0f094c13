//! Reading the log into a database. One task owns all state, and positions are stored in the transaction of the
//! effects.

mod discovery;
mod persist;
mod reader;
mod status;
mod tracker;

use std::future::Future;

use rdkafka::error::KafkaError;
use sqlx::postgres::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use writ_contract::Region;
use writ_kafka::Connection;

use crate::ConsumedRecord;
use crate::backoff::Backoff;
use crate::lease::{Lease, LeaseError};
use crate::position::{self, LogPosition};
use crate::trace;

pub use discovery::Subscription;
pub(crate) use reader::Reader;
pub use status::{ConsumerHandle, ConsumerStatus, PartitionStatus};

/// How a service processes records. Called by one task, never concurrently.
pub trait Projection: Send {
    /// The effects of a batch: rows to write, records to send, and what changes in memory afterwards.
    type Effects: Send + Sync;

    /// Computes, in memory, the effects of a batch. It cannot fail: a record that cannot be processed has an effect,
    /// too (dead letter, park). Called once per batch; the records of a partition are in order.
    fn plan(&mut self, batch: &[ConsumedRecord]) -> Self::Effects;

    /// Writes the effects, in the transaction that stores the positions. Called again with the same effects, in a new
    /// transaction, until one commits.
    fn persist(
        &mut self,
        tx: &mut PgConnection,
        effects: &Self::Effects,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The spans of the records ([`ConsumedRecord::span`]). They end when the effects are committed.
    fn spans(effects: &Self::Effects) -> &[Span];

    /// Called after the effects are committed.
    fn committed(&mut self, effects: Self::Effects);
}

/// What a consumer reads.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// This region's cluster.
    pub kafka: Connection,
    /// Client id in Kafka's logs and metrics, and also the group id. Nothing is stored under the group, but reading
    /// needs the right `READ` on it.
    pub client_id: String,
    /// This region.
    pub region: Region,
    /// All known regions. Mirrored topics of other regions are not read.
    pub regions: Vec<Region>,
    /// Topics to read.
    pub topics: Vec<Subscription>,
}

/// A consumer stopped. It does not stop, but waits, while Kafka or PostgreSQL is unreachable.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// Another process has taken over.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The settings are invalid, or the client is unusable.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
}

/// Reads local and mirrored topics, in batches of the records that are available.
pub struct Consumer {
    config: ConsumerConfig,
    pool: PgPool,
    lease: Lease,
    handle: ConsumerHandle,
}

impl Consumer {
    /// A consumer that stores its positions under the name of `lease`.
    pub fn new(config: ConsumerConfig, pool: PgPool, lease: Lease) -> Self {
        let handle = ConsumerHandle::new(&config.client_id);
        Self { config, pool, lease, handle }
    }

    /// The status of the consumer while it runs.
    pub fn handle(&self) -> ConsumerHandle {
        self.handle.clone()
    }

    /// Reads until `shutdown`. A batch that is not committed by then is read again at the next start.
    ///
    /// # Errors
    /// If the consumer cannot continue. The process should then end, so that the next one starts from what is stored.
    pub async fn run<P: Projection>(self, mut projection: P, shutdown: CancellationToken) -> Result<(), ConsumerError> {
        let lost = self.lease.clone();
        tokio::select! {
            result = self.read(&mut projection) => result,
            () = lost.lost() => Err(lost.lost_error().into()),
            () = shutdown.cancelled() => Ok(()),
        }
    }

    async fn read<P: Projection>(self, projection: &mut P) -> Result<(), ConsumerError> {
        let positions = self.positions().await;
        let mut reader = Reader::start(&self.config, positions, self.handle.clone())?;
        loop {
            let batch = reader.next().await?;
            let effects = projection.plan(&batch);
            let reached = position::after(&batch);
            persist::persist(&self, projection, &effects, &reached).await?;
            trace::end(P::spans(&effects));
            projection.committed(effects);
            reader.committed(&batch);
        }
    }

    async fn positions(&self) -> Vec<LogPosition> {
        let mut backoff = Backoff::new();
        loop {
            match position::load(&self.pool, self.lease.name()).await {
                Ok(positions) => return positions,
                Err(error) => self.handle.waits_for_database(&error),
            }
            backoff.wait().await;
        }
    }
}

#[cfg(test)]
mod tests;
