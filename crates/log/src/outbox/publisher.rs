//! Sends committed records to Kafka.
//!
//! One loop does everything: it is woken by commits, by acknowledgements and by a timer, sends the rows that it was handed
//! or reads from the table, and removes those that were acknowledged. A row stays in the table until Kafka has
//! acknowledged it, so a crash only sends it again.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use writ_contract::Timestamp;

use super::flight::{Admission, Flight, Sent};
use super::handover::{Attached, Handed, Handover};
use super::rows::{self, OutboxRow};
use super::status::StatusHandle;
use super::wake::CommitListener;
use crate::LogProducer;
use crate::backoff::Backoff;
use crate::database::{SMALL_CALL, bounded, reason};
use crate::lease::{Lease, LeaseError};
use crate::loops::LoopTurns;
use crate::producer::SendError;

/// Maximum number of rows read at once.
const BATCH: usize = 500;
/// Rows in flight beyond which none is read.
const ENOUGH: usize = BATCH;
/// Maximum number of rows in flight.
const MOST: usize = 2 * BATCH;
/// Acknowledged rows that are removed without waiting for more.
const MANY: usize = 100;
/// Pause before another attempt to remove rows, while PostgreSQL does not answer.
const REMOVE_AGAIN: Duration = Duration::from_millis(500);
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

/// What the loop does next.
enum Event {
    Sent(Sent),
    Handed(Handed),
    /// The table may have rows that are not in flight.
    Look,
    /// Acknowledged rows can be removed.
    Remove,
}

/// Publishes the outbox of one database: every committed record at least once, in the order of its key.
pub struct Publisher {
    pool: PgPool,
    own: PgPool,
    handover: Handover,
    producer: LogProducer,
    lease: Lease,
    propagation: metrics::Histogram,
    status: StatusHandle,
}

impl Publisher {
    /// A publisher for the outbox in the database of `pool`, which is handed what this process commits. Records with a `measured_from` are measured in the
    /// histogram `writ_propagation_seconds`, with these labels.
    pub fn new(
        pool: PgPool,
        handover: Handover,
        producer: LogProducer,
        lease: Lease,
        origin: &str,
        stage: &'static str,
    ) -> Self {
        let own = own_pool(&pool);
        let labels = [("origin", origin.to_owned()), ("stage", stage.to_owned())];
        let propagation = metrics::histogram!("writ_propagation_seconds", &labels);
        Self { pool, own, handover, producer, lease, propagation, status: StatusHandle::default() }
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
        let (turns, elsewhere) = (LoopTurns::new("publisher"), CommitListener::start(&self.pool));
        let here = self.handover.attach();
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut flight, mut backoff) = (Flight::new(), Backoff::new());
        loop {
            let removal = flight.removal();
            let event = tokio::select! {
                () = shutdown.cancelled() => return self.finish(flight).await,
                () = self.lease.lost() => return Err(self.lease.lost_error().into()),
                sent = flight.next_or_hold() => sent.map_or(Event::Look, Event::Sent),
                handed = here.handed() => Event::Handed(handed),
                () = elsewhere.woken() => Event::Look,
                () = removal => Event::Remove,
                _ = poll.tick() => {
                    turns.note();
                    self.measure(flight.is_stuck(POLL), flight.is_held()).await;
                    Event::Look
                }
            };
            match event {
                Event::Sent(sent) => self.landed(&mut flight, sent, &mut backoff).await?,
                Event::Handed(Handed::Rows(rows)) => self.take_handed(&mut flight, rows, &mut backoff).await?,
                Event::Handed(Handed::InTable) | Event::Look => flight.more = true,
                Event::Remove => {}
            }
            self.take(&mut flight, &here, &mut backoff).await?;
            if flight.removes(MANY) {
                self.acknowledge(&mut flight).await?;
            }
        }
    }

    /// Passes rows that were handed over to the producer, as far as they come next.
    async fn take_handed(
        &self,
        flight: &mut Flight,
        rows: impl IntoIterator<Item = OutboxRow>,
        backoff: &mut Backoff,
    ) -> Result<(), PublishError> {
        for row in rows {
            match flight.admits(row.id, MOST) {
                Admission::Taken => {}
                Admission::Next if self.send(flight, row, backoff)? => {}
                Admission::Next | Admission::FromTable => {
                    flight.more = true;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads the next rows and passes them to the producer, in order.
    async fn take(&self, flight: &mut Flight, here: &Attached, backoff: &mut Backoff) -> Result<(), PublishError> {
        while flight.more && !flight.is_held() && flight.taken().len() <= ENOUGH {
            let taken: Vec<i64> = flight.taken().iter().copied().collect();
            here.discard();
            let rows = match self.bounded(async |connection| rows::next(connection, &taken, BATCH as i64).await).await {
                Ok(rows) => rows,
                Err(error) => {
                    self.waits(&error);
                    return Ok(());
                }
            };
            flight.more = rows.len() == BATCH;
            if let Some(last) = rows.last() {
                flight.read(last.id);
            }
            for row in rows {
                if !self.send(flight, row, backoff)? {
                    flight.more = true;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Returns whether the next row may follow.
    fn send(&self, flight: &mut Flight, row: OutboxRow, backoff: &mut Backoff) -> Result<bool, PublishError> {
        let OutboxRow { id, mut record } = row;
        record.waited();
        let measured_from = record.measured_from;
        match self.producer.enqueue(record) {
            Ok(pending) => {
                flight.sends(id, async move { Sent { id, measured_from, result: pending.delivered().await } });
                Ok(true)
            }
            // There is room when one in flight has landed.
            Err(error) if error.is_queue_full() => Ok(false),
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
        let ids = flight.to_remove();
        match self.bounded(async |connection| rows::acknowledge(connection, &self.lease, ids).await).await {
            Ok(()) => flight.removed(),
            Err(LeaseError::Database(error)) => {
                self.waits(&error);
                flight.not_removed(REMOVE_AGAIN);
            }
            Err(lost) => return Err(lost.into()),
        }
        Ok(())
    }

    /// A call on the publisher's own connection.
    async fn bounded<T, E: From<sqlx::Error>>(
        &self,
        call: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        bounded(&self.own, SMALL_CALL, call).await
    }

    fn waits(&self, error: &sqlx::Error) {
        let reason = reason(error);
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
        let (depth, age) = match self.bounded(async |connection| rows::backlog(connection).await).await {
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
