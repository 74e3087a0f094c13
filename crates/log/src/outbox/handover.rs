//! Hands committed rows to the publisher of this process, which then need not read them from the table. The table remains
//! the truth: whatever is not handed over, the publisher finds there.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Postgres, Transaction};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::rows::{CHANNEL, OutboxRow};
use crate::database::{SMALL_CALL, bounded, reason};

/// Rows that wait for the publisher. Those beyond it are read from the table.
const MOST_ROWS: usize = 1_000;
/// Bytes of the rows that wait.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Rows of the outbox that a transaction has written.
#[derive(Debug)]
#[must_use = "the publisher waits for them once the transaction is committed"]
pub struct Appended(pub(super) Vec<OutboxRow>);

/// Where rows are handed over once their transaction has committed. Clones share it.
#[derive(Clone)]
pub struct Handover {
    shared: Arc<Shared>,
    _notifier: Arc<JoinSet<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// The publisher has something to do.
    publisher: Notify,
    /// The publisher of another process has.
    elsewhere: Notify,
}

struct Queue {
    /// Tells the transactions of this process from those of other replicas, and from those of which it is not known whether
    /// they were committed.
    writer: Uuid,
    /// The publisher runs in this process.
    attached: bool,
    rows: VecDeque<OutboxRow>,
    bytes: usize,
    /// A row is only in the table.
    missed: bool,
}

/// What was handed over since the publisher last asked.
pub(super) enum Handed {
    /// All of it, in order.
    Rows(VecDeque<OutboxRow>),
    /// More than waited here: the table says what.
    InTable,
}

/// While it lives, rows are handed to the publisher of this process.
pub(super) struct Attached(Arc<Shared>);

impl Handover {
    /// While the publisher runs in another process, that one is notified through a connection of `pool`.
    pub fn start(pool: PgPool) -> Self {
        let queue = Mutex::new(Queue {
            writer: Uuid::new_v4(),
            attached: false,
            rows: VecDeque::new(),
            bytes: 0,
            missed: false,
        });
        let shared = Arc::new(Shared { queue, publisher: Notify::new(), elsewhere: Notify::new() });
        let mut notifier = JoinSet::new();
        notifier.spawn(notify_elsewhere(pool, shared.clone()));
        Self { shared, _notifier: Arc::new(notifier) }
    }

    /// What transactions of this process are to note as their writer. See [`Handover::commit`].
    pub fn writer(&self) -> Uuid {
        self.shared.queue().writer
    }

    /// Commits `tx` and hands over what it has appended under a lock. `previous` is the writer that the last transaction
    /// under this lock has noted: if it was another process, or one whose end was not seen, only the table has the records
    /// of these two in order. The caller must not let the next transaction of this process begin before this returns.
    ///
    /// # Errors
    /// When the transaction is not committed, or nobody knows.
    pub async fn commit(
        &self,
        tx: Transaction<'_, Postgres>,
        appended: Appended,
        previous: Option<Uuid>,
    ) -> Result<(), sqlx::Error> {
        let mut unsettled = Unsettled(Some(&self.shared));
        tx.commit().await?;
        unsettled.0 = None;
        if previous == Some(self.writer()) {
            self.committed(appended)
        } else {
            self.wake()
        }
        Ok(())
    }

    /// Hands over what a committed transaction has appended, if nobody else appends records with its keys.
    pub fn committed(&self, Appended(rows): Appended) {
        let mut queue = self.shared.queue();
        if !queue.attached {
            drop(queue);
            return self.shared.elsewhere.notify_one();
        }
        let bytes: usize = rows.iter().map(|row| row.record.size()).sum();
        if queue.missed || queue.rows.len() + rows.len() > MOST_ROWS || queue.bytes + bytes > MOST_BYTES {
            queue.miss();
        } else {
            queue.bytes += bytes;
            queue.rows.extend(rows);
        }
        drop(queue);
        self.shared.publisher.notify_one();
    }

    /// Lets the publisher read from the table what a committed transaction has appended.
    pub(super) fn wake(&self) {
        let mut queue = self.shared.queue();
        let attached = queue.attached;
        queue.miss();
        drop(queue);
        if attached { self.shared.publisher.notify_one() } else { self.shared.elsewhere.notify_one() }
    }

    /// Begins with what is in the table.
    pub(super) fn attach(&self) -> Attached {
        let mut queue = self.shared.queue();
        queue.attached = true;
        queue.miss();
        drop(queue);
        self.shared.publisher.notify_one();
        Attached(self.shared.clone())
    }
}

impl Attached {
    /// Returns when something was handed over.
    pub(super) async fn handed(&self) -> Handed {
        self.0.publisher.notified().await;
        self.0.queue().take()
    }

    /// Whatever was handed over by now is in the table, too: it need not be taken from here.
    pub(super) fn discard(&self) {
        self.0.queue().take();
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.attached = false;
        queue.take();
    }
}

/// A transaction of which it is not known whether it was committed: the request was given up, or there was no answer.
struct Unsettled<'a>(Option<&'a Shared>);

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            // No transaction after it will find this writer as the previous one.
            shared.queue().writer = Uuid::new_v4();
        }
    }
}

impl Queue {
    /// Nothing that is handed over later may be sent before what is only in the table.
    fn miss(&mut self) {
        self.rows.clear();
        self.bytes = 0;
        self.missed = true;
    }

    fn take(&mut self) -> Handed {
        self.bytes = 0;
        let (rows, missed) = (mem::take(&mut self.rows), mem::take(&mut self.missed));
        if missed { Handed::InTable } else { Handed::Rows(rows) }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One notification for all commits since the last one. It is a transaction of its own: PostgreSQL notifies under a lock
/// of the whole instance, which is held until the commit is on disk.
async fn notify_elsewhere(pool: PgPool, shared: Arc<Shared>) {
    loop {
        shared.elsewhere.notified().await;
        let notify = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL);
        let notified = bounded(&pool, SMALL_CALL, async |connection: &mut PgConnection| {
            notify.execute(connection).await.map(drop)
        });
        if let Err(error) = notified.await {
            tracing::debug!(reason = reason(&error), "the publisher is not notified, it polls");
        }
    }
}

#[cfg(test)]
mod tests;
