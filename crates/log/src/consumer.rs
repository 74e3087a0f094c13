//! Reading the log into a database. One task owns all state, and positions are stored in the transaction of the
//! effects.

mod batch;
mod discovery;
mod held;
mod persist;
mod reader;
mod stale;
mod status;
mod tracker;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use sqlx::postgres::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tracing::Span;
use writ_contract::Region;
use writ_kafka::Connection;

use crate::ConsumedRecord;
use crate::backoff::Backoff;
use crate::lease::{Lease, LeaseError};
use crate::loops::LoopTurns;
use crate::position::{self, LogPosition};
use held::MustWait;

pub use discovery::Subscription;
use reader::MANY_RECORDS;
pub(crate) use reader::{ReadError, Reader};
pub(crate) use stale::StaleReader;
pub use status::{ConsumerHandle, ConsumerStatus, PartitionStatus};

/// How often a consumer that has to wait before its first record turns.
const WAITING_TURN: Duration = Duration::from_secs(2);

/// How long records wait for others at most while several come in at a time.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// How a service processes records. Called by one task, never concurrently.
pub trait Projection: Send {
    /// The effects of records: rows to write, records to send, and what changes in memory afterwards.
    type Effects: Default + Send + Sync;

    /// Works out, in memory, the effects of the next record and adds them to `effects`. It cannot fail: a record that
    /// cannot be processed has an effect, too (dead letter, park). Whatever it changes in memory is noted in `effects`
    /// at once, so that it can be [taken back](Self::take_back) after a panic.
    fn plan_one(&mut self, record: &ConsumedRecord, effects: &mut Self::Effects);

    /// The effects of several records. The records of a partition are in order.
    fn plan(&mut self, batch: &[ConsumedRecord]) -> Self::Effects {
        let mut effects = Self::Effects::default();
        batch.iter().for_each(|record| self.plan_one(record, &mut effects));
        effects
    }

    /// Takes back what planning changed in memory: `effects` will never be written. Their last record may have been
    /// planned only in part.
    fn take_back(&mut self, effects: Self::Effects);

    /// Adds the effects of a record that cannot be processed, because that panics or PostgreSQL refuses its effects: a
    /// record of another system is dead-lettered, and one of our own is parked. They consist of nothing that PostgreSQL
    /// could refuse.
    fn set_aside(&mut self, record: &ConsumedRecord, reason: &str, effects: &mut Self::Effects);

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
    /// How long the broker may hold records back, to send more of them together. For those that nobody waits for, this saves
    /// most of what reading them costs.
    pub gathering: Duration,
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
    /// Nobody looks for partitions any more.
    #[error("the discovery of partitions has ended")]
    Discovery,
}

/// Reads local and mirrored topics, in batches of the records that are available.
pub struct Consumer {
    config: ConsumerConfig,
    pool: PgPool,
    lease: Lease,
    must_wait: Option<MustWait>,
    handle: ConsumerHandle,
    turns: LoopTurns,
}

impl Consumer {
    /// A consumer that stores its positions under the name of `lease`. It is expected to run from now on.
    pub fn new(config: ConsumerConfig, pool: PgPool, lease: Lease) -> Self {
        let handle = ConsumerHandle::new(&config.client_id);
        let turns = LoopTurns::new(&format!("consumer/{}", config.client_id));
        Self { config, pool, lease, must_wait: None, handle, turns }
    }

    /// Holds back records that `must_wait`, because what they build on is about to arrive by another way, and those behind
    /// them in their partition, for five seconds at most. Other partitions go on.
    #[must_use]
    pub fn holding_back(self, must_wait: impl Fn(&ConsumedRecord) -> bool + Send + Sync + 'static) -> Self {
        Self { must_wait: Some(Arc::new(must_wait)), ..self }
    }

    /// The status of the consumer while it runs.
    pub fn handle(&self) -> ConsumerHandle {
        self.handle.clone()
    }

    /// Waits for what must come before the first record, and shows that it is not stalled meanwhile.
    pub async fn wait_for(&self, first: impl Future<Output = ()>) {
        let mut first = std::pin::pin!(first);
        while tokio::time::timeout(WAITING_TURN, &mut first).await.is_err() {
            self.turns.note();
        }
    }

    /// Reads until `shutdown`. A batch that is not committed by then is read again at the next start.
    ///
    /// # Errors
    /// If the consumer cannot continue. The process should then end, so that the next one starts from what is stored.
    pub async fn run<P: Projection>(self, mut projection: P, shutdown: CancellationToken) -> Result<(), ConsumerError> {
        let lost = self.lease.clone();
        tokio::select! {
            error = self.read(&mut projection) => Err(error),
            () = lost.lost() => Err(lost.lost_error().into()),
            () = shutdown.cancelled() => Ok(()),
        }
    }

    /// Reads from the stored positions and, whenever the log is not the one they belong to, again with a new client. A
    /// recreated topic is then read from its beginning.
    async fn read<P: Projection>(self, projection: &mut P) -> ConsumerError {
        loop {
            match self.read_on(projection).await {
                Stop::Stale(stale) => {
                    self.handle.starts_over(&stale);
                    if let StaleReader::Replaced(topic) = stale
                        && let Err(lost) = self.forget(&topic).await
                    {
                        return lost.into();
                    }
                }
                Stop::Failed(error) => return error,
            }
        }
    }

    async fn read_on<P: Projection>(&self, projection: &mut P) -> Stop {
        let positions = self.positions().await;
        let mut reader = match Reader::start(&self.config, positions, self.handle.clone()) {
            Ok(reader) => reader.holding_back(self.must_wait.clone()),
            Err(error) => return Stop::Failed(error.into()),
        };
        loop {
            let batch = match reader.next(&self.turns).await {
                Ok(batch) => batch,
                Err(error) => return error.into(),
            };
            let began = Instant::now();
            if let Err(error) = batch::process(self, projection, &batch).await {
                return Stop::Failed(error.into());
            }
            reader.committed(&batch);
            // Several records came in while the last ones were written, and so will the next. Together they cost little more
            // than one.
            if (2..MANY_RECORDS).contains(&batch.len()) {
                tokio::time::sleep(began.elapsed().min(LONGEST_PAUSE)).await;
            }
        }
    }

    /// Forgets the positions in a topic.
    async fn forget(&self, topic: &str) -> Result<(), LeaseError> {
        let mut backoff = Backoff::new();
        loop {
            self.turns.note();
            match position::forget(&self.pool, &self.lease, topic).await {
                Err(LeaseError::Database(error)) => self.handle.waits_for_database(&error),
                done => return done,
            }
            backoff.wait().await;
        }
    }

    async fn positions(&self) -> Vec<LogPosition> {
        let mut backoff = Backoff::new();
        loop {
            self.turns.note();
            match position::load(&self.pool, self.lease.name()).await {
                Ok(positions) => return positions,
                Err(error) => self.handle.waits_for_database(&error),
            }
            backoff.wait().await;
        }
    }
}

/// Why reading from some positions came to an end.
enum Stop {
    Stale(StaleReader),
    Failed(ConsumerError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Stale(stale) => Self::Stale(stale),
            ReadError::Kafka(error) => Self::Failed(error.into()),
            ReadError::Discovery => Self::Failed(ConsumerError::Discovery),
        }
    }
}

#[cfg(test)]
mod tests;
