//! Reading the log into a database: one task owns all state, and the position is recorded in the
//! transaction of the effects.

mod discovery;
mod persist;
mod reader;
mod status;
mod tracker;

use std::future::Future;
use writ_kafka::Connection;

use rdkafka::error::KafkaError;
use sqlx::postgres::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use writ_contract::Region;

use crate::Record;
use crate::backoff::Backoff;
use crate::lease::{Lease, LeaseError};
use crate::position::{self, Position};
use crate::trace;

pub use discovery::Subscription;
pub(crate) use reader::Reader;
pub use status::{ConsumerHandle, ConsumerStatus, PartitionStatus};

/// What a service makes of the records it reads. Called by one task, never at the same time.
pub trait Projection: Send {
    /// What a batch changes: rows to write, records to send, and what memory needs afterwards.
    type Effects: Send + Sync;

    /// Works out, in memory, what a batch of records changes. It cannot fail: what is wrong with a
    /// record becomes an effect (dead letter, park). Called once for each batch; records of a
    /// partition come in order.
    fn plan(&mut self, batch: &[Record]) -> Self::Effects;

    /// Writes the effects, in the transaction that records the positions. Called again with the
    /// same effects, in a new transaction, until one commits.
    fn persist(
        &mut self,
        tx: &mut PgConnection,
        effects: &Self::Effects,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The spans of a batch's records ([`Record::span`]): each shows the transaction. They end with
    /// the effects.
    fn spans(effects: &Self::Effects) -> &[Span];

    /// The effects are committed.
    fn committed(&mut self, effects: Self::Effects);
}

/// Which cluster a consumer reads, and what of it.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// This region's cluster.
    pub kafka: Connection,
    /// Name of the client in Kafka's logs and metrics; also its group id, under which nothing is
    /// stored, but which needs `READ` on the group where access is controlled.
    pub client_id: String,
    /// This region.
    pub region: Region,
    /// All regions that are known. Mirrored topics of others are not read.
    pub regions: Vec<Region>,
    /// What to read.
    pub topics: Vec<Subscription>,
}

/// Why a consumer stopped. Waiting for Kafka or PostgreSQL is not a reason.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// Another process has taken over.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The settings are wrong, or the client cannot go on.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
}

/// Reads topics of this region and mirrored ones, in batches of whatever is there.
pub struct Consumer {
    config: ConsumerConfig,
    pool: PgPool,
    lease: Lease,
    handle: ConsumerHandle,
}

impl Consumer {
    /// A consumer that records its positions under the name of `lease`.
    pub fn new(config: ConsumerConfig, pool: PgPool, lease: Lease) -> Self {
        let handle = ConsumerHandle::new(&config.client_id);
        Self { config, pool, lease, handle }
    }

    /// What the consumer is seen to do; stays valid while it runs.
    pub fn handle(&self) -> ConsumerHandle {
        self.handle.clone()
    }

    /// Reads until `shutdown`. A batch that is planned, but not committed by then, is read again
    /// at the next start.
    ///
    /// # Errors
    /// [`ConsumerError`]: the process should then end, so that another begins from what is stored.
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

    async fn positions(&self) -> Vec<Position> {
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
