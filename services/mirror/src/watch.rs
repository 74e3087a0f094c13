//! Reads what MirrorMaker leaves in Kafka, looks once a second, and asks for restarts.

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

use crate::restart::{Reason, Restarts};
use crate::sources::Sources;

/// Name of the client, and of the group that it never joins but must have.
const CLIENT: &str = "writ-mirror";
const EVERY: Duration = Duration::from_secs(1);

/// What is known of the mirror, shared with those who show it.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Sources>>);

impl Shared {
    /// Shares what is known.
    pub fn new(sources: Sources) -> Self {
        Self(Arc::new(Mutex::new(sources)))
    }

    /// What is known now.
    pub fn lock(&self) -> MutexGuard<'_, Sources> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watch over the mirror.
pub struct Watch {
    sources: Shared,
    consumer: StreamConsumer<Reporter>,
    reporter: Reporter,
    restarts: Restarts,
    /// Whoever runs the mirror starts it again when this file appears.
    restart_file: PathBuf,
}

impl Watch {
    /// Begins to read.
    ///
    /// # Errors
    /// When the settings are wrong.
    pub fn start(kafka: &Connection, sources: Shared, restart_file: PathBuf) -> KafkaResult<Self> {
        let reporter = Reporter::default();
        let mut config = client_config(kafka, CLIENT);
        config
            .set("group.id", CLIENT)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            // A topic that MirrorMaker has yet to make is found so soon.
            .set("topic.metadata.refresh.interval.ms", "5000");
        let consumer: StreamConsumer<Reporter> = config.create_with_context(reporter.clone())?;
        consumer.assign(&places(&sources.lock())?)?;
        begin();
        Ok(Self { sources, consumer, reporter, restarts: Restarts::new(Instant::now()), restart_file })
    }

    /// Watches until `stop`.
    ///
    /// # Errors
    /// When Kafka's client cannot go on.
    pub async fn run(mut self, stop: CancellationToken) -> KafkaResult<()> {
        let mut clock = tokio::time::interval(EVERY);
        loop {
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
                self.sources.lock().take(message.topic(), message.key(), message.payload());
            }
            Err(fatal @ KafkaError::MessageConsumptionFatal(_)) => return Err(fatal),
            // The client tries again by itself.
            Err(error) => self.reporter.report(&error.to_string()),
        }
        Ok(())
    }

    fn look(&mut self) {
        let now = Timestamp::now();
        let sources = self.sources.lock().clone();
        sources.measure(now);
        let Some((source, silence)) = sources.most_silent(now) else { return };
        let reason = self.restarts.look(Instant::now(), sources.failed_at(), silence);
        match reason {
            Some(Reason::TaskFailed) => {
                tracing::warn!(trouble = sources.trouble(now), "a task has failed: asking for a restart of the mirror");
            }
            Some(Reason::Stalled) => tracing::warn!(
                %source,
                silent_for = silence.as_secs(),
                "nothing arrives: asking for a restart of the mirror. It does not help when the source, or the mirror \
                 that writes its heartbeats there, is away"
            ),
            None => return,
        }
        reason.into_iter().for_each(|reason| self.ask(reason));
    }

    fn ask(&self, reason: Reason) {
        match std::fs::write(&self.restart_file, reason.as_str()) {
            Ok(()) => metrics::counter!("writ_mirror_restarts_total", "reason" => reason.as_str()).increment(1),
            Err(error) => tracing::error!(%error, "WRIT_MIRROR_RESTART_FILE cannot be written"),
        }
    }
}

/// Lets the counters exist, at zero: a rate cannot be taken of the first value of a series.
fn begin() {
    for reason in Reason::ALL {
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
