//! Sends committed records to Kafka.
//!
//! One loop does everything: it is woken by commits, by acknowledgements and by a timer, removes acknowledged rows, and
//! reads and sends the next ones. A row stays in the table until Kafka has acknowledged it, so a crash only sends it
//! again.

use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use writ_contract::Timestamp;

use super::flight::{Flight, Sent};
use super::rows::{self, OutboxRow};
use super::status::StatusHandle;
use super::wake::CommitListener;
use crate::LogProducer;
use crate::backoff::Backoff;
use crate::lease::{Lease, LeaseError};
use crate::producer::SendError;

/// Maximum number of rows read at once. Twice as many may be in flight.
const BATCH: usize = 500;
/// Fallback poll, in case a notification is missed.
const POLL: Duration = Duration::from_secs(1);
/// How long shutdown waits for rows in flight.
const LAST_CALL: Duration = Duration::from_secs(2);

/// The publisher stopped. It does not stop, but waits, while Kafka or PostgreSQL is unreachable.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Another process has taken over.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The Kafka client is unusable.
    #[error("the producer is unusable: {0}")]
    Producer(#[source] SendError),
}

/// Publishes the outbox of one database: every committed record at least once, in the order of its key.
pub struct Publisher {
    pool: PgPool,
    own: PgPool,
    producer: LogProducer,
    lease: Lease,
    propagation: metrics::Histogram,
    status: StatusHandle,
}

impl Publisher {
    /// A publisher for the outbox in the database of `pool`. Records with a `measured_from` are measured in the
    /// histogram `writ_propagation_seconds`, with these labels.
    pub fn new(pool: PgPool, producer: LogProducer, lease: Lease, origin: &str, stage: &'static str) -> Self {
        let own = own_pool(&pool);
        let labels = [("origin", origin.to_owned()), ("stage", stage.to_owned())];
        let propagation = metrics::histogram!("writ_propagation_seconds", &labels);
        Self { pool, own, producer, lease, propagation, status: StatusHandle::default() }
    }

    /// The status of the publisher while it runs.
    pub fn handle(&self) -> StatusHandle {
        self.status.clone()
    }

    /// Publishes until `shutdown`.
    ///
    /// # Errors
    /// If the publisher cannot continue. The process should then end.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), PublishError> {
        let wake = CommitListener::start(&self.pool);
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut flight, mut backoff) = (Flight::new(), Backoff::new());
        loop {
            let woken = tokio::select! {
                () = shutdown.cancelled() => return self.finish(flight).await,
                () = self.lease.lost() => return Err(self.lease.lost_error().into()),
                sent = flight.next_or_hold() => sent,
                () = wake.woken() => None,
                _ = poll.tick() => {
                    self.measure(flight.is_stuck(POLL), flight.is_held()).await;
                    None
                }
            };
            match woken {
                Some(sent) => self.landed(&mut flight, sent, &mut backoff).await?,
                None => flight.more = true,
            }
            self.acknowledge(&mut flight).await?;
            self.take(&mut flight, &mut backoff).await?;
        }
    }

    /// Reads the next rows and passes them to the producer, in order.
    async fn take(&self, flight: &mut Flight, backoff: &mut Backoff) -> Result<(), PublishError> {
        while flight.more && !flight.is_held() && flight.taken().len() <= BATCH {
            let rows = match rows::next(&self.own, flight.taken(), i64::try_from(BATCH).unwrap_or(i64::MAX)).await {
                Ok(rows) => rows,
                Err(error) => {
                    self.waits(&error);
                    return Ok(());
                }
            };
            flight.more = rows.len() == BATCH;
            for row in rows {
                if !self.send(flight, row, backoff).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Returns whether the next row may follow.
    async fn send(&self, flight: &mut Flight, row: OutboxRow, backoff: &mut Backoff) -> Result<bool, PublishError> {
        let OutboxRow { id, mut record } = row;
        record.waited();
        match self.producer.enqueue_when_room(&record).await {
            Ok(pending) => {
                let measured_from = record.measured_from;
                flight.sends(id, async move { Sent { id, measured_from, result: pending.delivered().await } });
                Ok(true)
            }
            Err(error) => self.refused(flight, id, error, backoff).map(|()| false),
        }
    }

    /// Handles one outcome, and all others that are known by now.
    async fn landed(&self, flight: &mut Flight, first: Sent, backoff: &mut Backoff) -> Result<(), PublishError> {
        let mut next = Some(first);
        while let Some(Sent { id, measured_from, result }) = next {
            match result {
                Ok(_) => {
                    self.delivered(flight, id, measured_from);
                    backoff.reset();
                }
                Err(error) => self.refused(flight, id, error, backoff)?,
            }
            next = flight.next_known();
        }
        Ok(())
    }

    fn delivered(&self, flight: &mut Flight, id: i64, measured_from: Option<Timestamp>) {
        flight.delivered(id);
        if let Some(start) = measured_from {
            self.propagation.record(Timestamp::now().since(start));
        }
    }

    fn refused(
        &self,
        flight: &mut Flight,
        id: i64,
        error: SendError,
        backoff: &mut Backoff,
    ) -> Result<(), PublishError> {
        if error.is_fatal() {
            return Err(PublishError::Producer(error));
        }
        tracing::error!(%error, "a record was rejected, trying again");
        self.status.update(|status| status.waiting = Some(error.to_string()));
        flight.refused(id, backoff.pause());
        Ok(())
    }

    /// Removes acknowledged rows. If the database does not answer, they stay in flight until it does.
    async fn acknowledge(&self, flight: &mut Flight) -> Result<(), PublishError> {
        if flight.to_remove().is_empty() {
            return Ok(());
        }
        match rows::acknowledge(&self.own, &self.lease, flight.to_remove()).await {
            Ok(()) => flight.removed(),
            Err(LeaseError::Database(error)) => self.waits(&error),
            Err(lost) => return Err(lost.into()),
        }
        Ok(())
    }

    fn waits(&self, error: &sqlx::Error) {
        let reason = error.to_string();
        self.status.update(|status| {
            if status.waiting.as_ref() != Some(&reason) {
                tracing::warn!(reason, "the outbox waits for PostgreSQL");
                status.waiting = Some(reason);
            }
        });
    }

    async fn measure(&self, stuck: bool, held: bool) {
        if stuck {
            self.producer.is_stuck();
        }
        let (depth, age) = match rows::backlog(&self.own).await {
            Ok(backlog) => backlog,
            Err(error) => return self.waits(&error),
        };
        let depth = u32::try_from(depth).unwrap_or(0);
        metrics::gauge!("writ_outbox_depth").set(f64::from(depth));
        metrics::gauge!("writ_outbox_age_seconds").set(age);
        self.status.update(|status| {
            status.depth = depth.into();
            status.oldest = Duration::try_from_secs_f64(age).unwrap_or_default();
            if !held {
                status.waiting = self.producer.waiting();
            }
        });
    }

    /// Waits briefly for rows in flight, so that they need not be sent again at the next start.
    async fn finish(&self, mut flight: Flight) -> Result<(), PublishError> {
        let landing = async {
            while let Some(sent) = flight.next().await {
                if sent.result.is_ok() {
                    self.delivered(&mut flight, sent.id, sent.measured_from);
                }
            }
        };
        if timeout(LAST_CALL, landing).await.is_err() {
            tracing::warn!("stopping with records in flight; they are sent again at the next start");
        }
        self.acknowledge(&mut flight).await
    }
}

/// A connection of its own, so that the publisher never waits for requests to free one. Commits need not wait for the
/// disk: if the removal of a row is lost, its record is just sent again.
fn own_pool(pool: &PgPool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with((*pool.connect_options()).clone().options([("synchronous_commit", "off")]))
}

#[cfg(test)]
mod tests;
