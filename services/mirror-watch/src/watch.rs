//! Follows MirrorMaker's topics and requests restarts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;
use writ_contract::Timestamp;
use writ_kafka::Connection;
use writ_log::kafka::{Reporter, client_config};
use writ_log::loops::LoopTurns;

use crate::restart::{RestartReason, Restarts};
use crate::sources::Sources;

/// Client id, and the consumer group that librdkafka requires. The group is never joined.
const CLIENT: &str = "writ-mirror-watch";
const EVERY: Duration = Duration::from_secs(1);

/// [`Sources`] shared with `/readyz` and `/status`.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Sources>>);

impl Shared {
    /// Wraps the sources.
    pub fn new(sources: Sources) -> Self {
        Self(Arc::new(Mutex::new(sources)))
    }

    /// Locks the sources.
    pub fn lock(&self) -> MutexGuard<'_, Sources> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop that follows the mirror.
pub struct Watch {
    sources: Shared,
    consumer: StreamConsumer<Reporter>,
    reporter: Reporter,
    restarts: Restarts,
    /// Creating this file requests a restart.
    restart_file: PathBuf,
}

impl Watch {
    /// Starts to read.
    ///
    /// # Errors
    /// If the settings of the client are invalid.
    pub fn start(kafka: &Connection, sources: Shared, restart_file: PathBuf) -> KafkaResult<Self> {
        let reporter = Reporter::default();
        let mut config = client_config(kafka, CLIENT);
        config
            .set("group.id", CLIENT)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            // How quickly we notice topics that MirrorMaker creates later.
            .set("topic.metadata.refresh.interval.ms", "5000");
        let consumer: StreamConsumer<Reporter> = config.create_with_context(reporter.clone())?;
        consumer.assign(&places(&sources.lock())?)?;
        initialize_counters();
        Ok(Self { sources, consumer, reporter, restarts: Restarts::new(Instant::now()), restart_file })
    }

    /// Runs until `stop`.
    ///
    /// # Errors
    /// On a fatal error of the Kafka client.
    pub async fn run(mut self, stop: CancellationToken) -> KafkaResult<()> {
        let turns = LoopTurns::new("watch");
        let mut clock = tokio::time::interval(EVERY);
        loop {
            turns.note();
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = clock.tick() => self.look(),
                received = self.consumer.recv() => self.take(received)?,
            }
        }
    }

    fn take(&self, received: KafkaResult<BorrowedMessage<'_>>) -> KafkaResult<()> {
        match received {
            Ok(message) => {
                self.reporter.clear();
                self.sources.lock().take(message.topic(), message.key(), message.payload(), Instant::now());
            }
            Err(fatal @ KafkaError::MessageConsumptionFatal(_)) => return Err(fatal),
            // The client retries by itself.
            Err(error) => self.reporter.report(&error.to_string()),
        }
        Ok(())
    }

    fn look(&mut self) {
        let now = Instant::now();
        let sources = self.sources.lock().clone();
        sources.measure(now, Timestamp::now());
        let Some(silence) = sources.silence(now) else { return };
        let reason = self.restarts.look(now, sources.failed_at(), silence);
        match reason {
            Some(RestartReason::TaskFailed) => {
                tracing::warn!(trouble = sources.trouble(now), "a task has failed: requesting a restart of the mirror");
            }
            Some(RestartReason::Stalled) => tracing::warn!(
                silent_for = silence.as_secs(),
                "nothing arrives from any source: requesting a restart of the mirror. It does not help if all of them are down"
            ),
            None => return,
        }
        reason.into_iter().for_each(|reason| self.request(reason));
    }

    fn request(&self, reason: RestartReason) {
        match std::fs::write(&self.restart_file, reason.as_str()) {
            Ok(()) => metrics::counter!("writ_mirror_restarts_total", "reason" => reason.as_str()).increment(1),
            Err(error) => tracing::error!(%error, "WRIT_MIRROR_RESTART_FILE cannot be written"),
        }
    }
}

/// Initializes the counters to zero, because the first sample of a series has no rate.
fn initialize_counters() {
    for reason in RestartReason::ALL {
        metrics::counter!("writ_mirror_restarts_total", "reason" => reason.as_str()).increment(0);
    }
}

/// Each topic has one partition.
fn places(sources: &Sources) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for topic in sources.task_topics() {
        list.add_partition_offset(&topic, 0, Offset::Beginning)?;
    }
    for topic in sources.beat_topics() {
        list.add_partition_offset(&topic, 0, Offset::OffsetTail(1))?;
    }
    Ok(list)
}
