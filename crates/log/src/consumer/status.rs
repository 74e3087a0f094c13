//! The status of a consumer, for health checks, `/status` and metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use super::stale::StaleReader;
use crate::database::{is_about_data, reason};
use crate::kafka::Reporter;

/// Progress in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionStatus {
    /// Topic, with the prefix of the origin if it is mirrored.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset of the next record.
    pub position: i64,
    /// End of the log a few seconds ago.
    pub log_end: i64,
}

/// The status of a consumer.
#[derive(Debug, Clone, Serialize)]
pub struct ConsumerStatus {
    /// Whether it has reached the ends of the logs as they were at start.
    pub caught_up: bool,
    /// Why it waits for Kafka, if it does.
    pub kafka: Option<String>,
    /// Why it waits for PostgreSQL, if it does.
    pub database: Option<String>,
    /// All partitions it reads.
    pub partitions: Vec<PartitionStatus>,
}

#[derive(Debug, Default)]
struct SharedStatus {
    database: Option<String>,
    partitions: BTreeMap<(String, i32), (i64, i64)>,
}

/// Shares the status of a consumer with health checks, `/status` and metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ConsumerHandle {
    reader: Arc<str>,
    shared: Arc<Mutex<SharedStatus>>,
    caught_up: Arc<watch::Sender<bool>>,
    pub(crate) kafka: Reporter,
}

impl ConsumerHandle {
    /// The handle of a consumer that is called `reader` in metrics.
    pub(crate) fn new(reader: &str) -> Self {
        let caught_up = Arc::new(watch::Sender::new(false));
        let handle = Self { reader: reader.into(), shared: Arc::default(), caught_up, kafka: Reporter::default() };
        handle.waits("kafka", false);
        handle.waits("database", false);
        // A rate cannot be taken of the first value of a series.
        for reason in ["panic", "refused"] {
            handle.count_set_aside(reason, 0);
        }
        handle.count_restarts(0);
        handle
    }

    /// Whether all records that existed at start have been committed. Stays true.
    pub fn caught_up(&self) -> bool {
        *self.caught_up.borrow()
    }

    /// Returns when [`caught_up`](Self::caught_up) is true.
    pub async fn until_caught_up(&self) {
        // The sender lives as long as this handle.
        let _ = self.caught_up.subscribe().wait_for(|caught_up| *caught_up).await;
    }

    /// Why the consumer is not ready: it has not caught up, perhaps for lack of Kafka.
    ///
    /// # Errors
    /// The reason, for a health check.
    pub fn readiness(&self) -> Result<(), String> {
        if self.caught_up() {
            return Ok(());
        }
        Err(self.kafka.reason().unwrap_or_else(|| "catching up".to_owned()))
    }

    /// Current positions, ends of logs and reasons to wait.
    pub fn status(&self) -> ConsumerStatus {
        let shared = self.lock();
        let partitions = shared.partitions.iter().map(|((topic, partition), (position, log_end))| PartitionStatus {
            topic: topic.clone(),
            partition: *partition,
            position: *position,
            log_end: *log_end,
        });
        ConsumerStatus {
            caught_up: self.caught_up(),
            kafka: self.kafka.reason(),
            database: shared.database.clone(),
            partitions: partitions.collect(),
        }
    }

    pub(super) fn is_caught_up(&self) {
        self.caught_up.send_if_modified(|caught_up| !std::mem::replace(caught_up, true));
    }

    pub(super) fn reads(&self, topic: &str, partition: i32, position: i64, log_end: i64) {
        self.lock().partitions.insert((topic.to_owned(), partition), (position, log_end));
    }

    pub(super) fn lags(&self, topic: &str, partition: i32, records: i64) {
        let partition = partition.to_string();
        let labels = [("reader", self.reader.to_string()), ("topic", topic.to_owned()), ("partition", partition)];
        #[expect(clippy::cast_precision_loss, reason = "a lag is far below 2^52")]
        metrics::gauge!("writ_consumer_lag_records", &labels).set(records as f64);
    }

    /// A record is set aside.
    pub(super) fn sets_aside(&self, reason: &'static str) {
        self.count_set_aside(reason, 1);
    }

    /// A new client takes the place of another.
    pub(crate) fn starts_over(&self, stale: &StaleReader) {
        tracing::error!(reader = &*self.reader, reason = %stale, "starting over with a new client");
        self.count_restarts(1);
    }

    fn count_set_aside(&self, reason: &'static str, by: u64) {
        let labels = [("reader", self.reader.to_string()), ("reason", reason.to_owned())];
        metrics::counter!("writ_records_set_aside_total", &labels).increment(by);
    }

    fn count_restarts(&self, by: u64) {
        metrics::counter!("writ_consumer_restarts_total", "reader" => self.reader.to_string()).increment(by);
    }

    pub(super) fn waits_for_kafka(&self, reason: &str) {
        self.kafka.report(reason);
        self.waits("kafka", true);
    }

    pub(super) fn kafka_answers(&self) {
        self.kafka.clear();
        self.waits("kafka", false);
    }

    pub(super) fn waits_for_database(&self, error: &sqlx::Error) {
        self.waits("database", true);
        // PostgreSQL may quote the data that it refuses.
        let reason = if is_about_data(error) { reason(error) } else { error.to_string() };
        let mut shared = self.lock();
        if shared.database.as_ref() != Some(&reason) {
            tracing::warn!(reason, "waiting for PostgreSQL");
            shared.database = Some(reason);
        }
    }

    pub(super) fn database_answers(&self) {
        self.lock().database = None;
        self.waits("database", false);
    }

    fn waits(&self, on: &'static str, waits: bool) {
        let labels = [("reader", self.reader.to_string()), ("on", on.to_owned())];
        metrics::gauge!("writ_consumer_waiting", &labels).set(f64::from(u8::from(waits)));
    }

    fn lock(&self) -> MutexGuard<'_, SharedStatus> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
