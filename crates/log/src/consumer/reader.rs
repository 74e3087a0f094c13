//! The Kafka side of a consumer: assigns partitions as they are found, and returns batches of new records.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::discovery::{Discovery, Survey};
use super::held::{Held, MustWait};
use super::stale::{Silence, StaleReader};
use super::tracker::{Disposition, PartitionId, Start, Tracker};
use super::{ConsumerConfig, ConsumerHandle};
use crate::ConsumedRecord;
use crate::kafka::{Reporter, client_config};
use crate::loops::LoopTurns;
use crate::position::LogPosition;

/// Maximum number of records in a batch.
const MAX_RECORDS: usize = 500;
/// A batch of fewer records is a small one: reading has not fallen behind.
pub(super) const MANY_RECORDS: usize = 100;
/// A batch of this size takes no more records.
const MAX_BYTES: usize = 8 << 20;

/// How often records that are held back are tried again.
const RETRY_HELD: Duration = Duration::from_millis(50);

/// How often an idle reader turns.
const IDLE: Duration = Duration::from_secs(2);

/// While catching up, how often to check for transaction markers: the client skips them without waking us.
const CATCHING_UP: Duration = Duration::from_millis(50);

/// Reads all subscribed partitions, each from its position.
///
/// Three things make progress here. Discovery runs on its own and sends surveys of the cluster; [`Reader::take_up`]
/// assigns the partitions in them. The client delivers records; [`Tracker`] decides which of them are new. And
/// positions advance when the caller reports a batch as committed.
pub(crate) struct Reader {
    consumer: Arc<StreamConsumer<Reporter>>,
    surveys: mpsc::Receiver<Survey>,
    tracker: Tracker,
    recorded: HashMap<PartitionId, LogPosition>,
    held: Held,
    complete: bool,
    handle: ConsumerHandle,
    silence: Silence,
    _discovery: JoinSet<()>,
}

/// A reader cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The settings are invalid, or the client is unusable.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// Nobody looks for partitions any more.
    #[error("the discovery of partitions has ended")]
    Discovery,
    /// Another reader, with a new client, has to go on from the stored positions.
    #[error(transparent)]
    Stale(#[from] StaleReader),
}

impl Reader {
    /// Starts to look for partitions. Those without an entry in `positions` are read from the beginning.
    pub(crate) fn start(
        config: &ConsumerConfig,
        positions: Vec<LogPosition>,
        handle: ConsumerHandle,
    ) -> Result<Self, KafkaError> {
        let consumer: StreamConsumer<Reporter> = settings(config).create_with_context(handle.kafka.clone())?;
        let consumer = Arc::new(consumer);
        let discovery = Discovery {
            config: config.clone(),
            consumer: consumer.clone(),
            handle: handle.clone(),
            known: HashSet::new(),
            ids: BTreeMap::new(),
            ids_asked: None,
        };
        let (sender, surveys) = mpsc::channel(1);
        let mut task = JoinSet::new();
        task.spawn(discovery.run(sender));
        let recorded = positions.into_iter().map(|p| ((p.topic.clone(), p.partition), p)).collect();
        let tracker = Tracker::default();
        Ok(Self {
            consumer,
            surveys,
            tracker,
            recorded,
            held: Held::new(None),
            complete: false,
            handle,
            silence: Silence::new(),
            _discovery: task,
        })
    }

    /// Holds back what must wait, and what is behind it in its partition.
    pub(crate) fn holding_back(self, must_wait: Option<MustWait>) -> Self {
        Self { held: Held::new(must_wait), ..self }
    }

    /// Waits for a record and returns it, with all others that are available, at most 500. Those that must
    /// wait, and those behind them, are held back.
    pub(crate) async fn next(&mut self, turns: &LoopTurns) -> Result<Vec<ConsumedRecord>, ReadError> {
        self.silence.end();
        loop {
            turns.note();
            let pause = if self.handle.caught_up() { IDLE } else { CATCHING_UP };
            let batch = tokio::select! {
                survey = self.surveys.recv() => {
                    self.take_up(survey.ok_or(ReadError::Discovery)?)?;
                    continue;
                }
                () = tokio::time::sleep(RETRY_HELD), if !self.held.is_empty() => self.release()?,
                () = tokio::time::sleep(pause) => {
                    if !self.handle.caught_up() {
                        self.pass_markers()?;
                        self.show_caught_up();
                    }
                    continue;
                }
                first = self.consumer.recv() => {
                    // The message borrows the consumer, which `drain` needs, so it is copied out.
                    let first = first.map(|message| ConsumedRecord::of(&message));
                    self.drain(first)?
                }
            };
            if !batch.is_empty() {
                return Ok(batch);
            }
            // Only an anchor arrived, which is not new. It may have been the last record of the log.
            self.show_caught_up();
        }
    }

    /// Called when the effects of `batch` are committed.
    pub(crate) fn committed(&mut self, batch: &[ConsumedRecord]) {
        for record in batch {
            self.tracker.committed(record);
        }
        let places: HashSet<_> = batch.iter().map(|record| (record.topic.as_str(), record.partition)).collect();
        for (topic, partition) in places {
            self.show(topic, partition);
        }
        self.show_caught_up();
    }

    /// Collects a batch from the first record and those that are available.
    fn drain(&mut self, first: Result<ConsumedRecord, KafkaError>) -> Result<Vec<ConsumedRecord>, KafkaError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(received) = next {
            if let Some(record) = self.receive(received)?
                && let Some(record) = self.hold(record)?
            {
                bytes += record.size();
                batch.push(record);
            }
            if batch.len() >= MAX_RECORDS || bytes >= MAX_BYTES {
                break;
            }
            // Only what the client has fetched already: a batch never waits to get larger.
            let more = self.consumer.recv().now_or_never();
            next = more.map(|received| received.map(|message| ConsumedRecord::of(&message)));
        }
        Ok(batch)
    }

    /// Returns the record if it does not have to wait.
    fn hold(&mut self, record: ConsumedRecord) -> Result<Option<ConsumedRecord>, KafkaError> {
        let place = (record.topic.clone(), record.partition);
        if !self.held.has(&place) {
            if !self.held.must_wait(&record) {
                return Ok(Some(record));
            }
            self.consumer.pause(&list_of(&place))?;
        }
        self.held.add(place, record);
        Ok(None)
    }

    /// The records that need not wait any more.
    fn release(&mut self) -> Result<Vec<ConsumedRecord>, KafkaError> {
        let (records, over) = self.held.release(MAX_RECORDS);
        for place in over {
            self.consumer.resume(&list_of(&place))?;
        }
        Ok(records)
    }

    /// Returns the record if it is new.
    fn receive(&mut self, received: Result<ConsumedRecord, KafkaError>) -> Result<Option<ConsumedRecord>, KafkaError> {
        let record = match received {
            Ok(record) => record,
            Err(fatal @ KafkaError::MessageConsumptionFatal(_)) => return Err(fatal),
            // The client retries by itself. If Kafka is unreachable, discovery reports it.
            Err(error) => {
                tracing::debug!(%error, "while reading");
                return Ok(None);
            }
        };
        self.silence.end();
        match self.tracker.accept(&record) {
            Disposition::Take => return Ok(Some(record)),
            Disposition::Skip => {}
            Disposition::Restart => self.restart(&record)?,
        }
        Ok(None)
    }

    fn restart(&mut self, record: &ConsumedRecord) -> Result<(), KafkaError> {
        tracing::error!(
            topic = record.topic,
            partition = record.partition,
            offset = record.offset,
            "the log is not the one read before: reading it from the earliest"
        );
        // Assigning the partition again, instead of seeking, also discards the records that the client has buffered.
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&record.topic, record.partition, Offset::Beginning)?;
        self.held.forget(&(record.topic.clone(), record.partition));
        self.consumer.incremental_unassign(&list)?;
        self.consumer.incremental_assign(&list)?;
        self.tracker.restarted(&record.topic, record.partition);
        Ok(())
    }

    /// Assigns the partitions that discovery has found, and updates the bounds of all logs.
    fn take_up(&mut self, survey: Survey) -> Result<(), ReadError> {
        let mut list = TopicPartitionList::new();
        for (place, bounds) in survey.found {
            // A partition is found once, so its stored position is needed once.
            let recorded = self.recorded.remove(&place);
            let start = match self.tracker.add(place.clone(), recorded, bounds) {
                Start::Anchor(offset) => Offset::Offset(offset),
                Start::Earliest => Offset::Beginning,
            };
            tracing::info!(topic = place.0, partition = place.1, ?start, end = bounds.end, "reading");
            list.add_partition_offset(&place.0, place.1, start)?;
        }
        if list.count() > 0 {
            self.consumer.incremental_assign(&list)?;
        }
        if let Some(topic) = survey.replaced {
            return Err(StaleReader::Replaced(topic).into());
        }
        for (place, bounds) in survey.bounds {
            if !self.tracker.has_bounds(&place, bounds) {
                return Err(StaleReader::Replaced(place.0).into());
            }
        }
        // Stays true: a topic that disappears later does not undo having caught up.
        self.complete |= survey.complete;
        self.pass_markers()?;
        self.show_all();
        Ok(self.silence.check(self.tracker.unread(), survey.unanswered.first())?)
    }

    /// Advances over transaction markers, which have an offset but are not delivered. A log may end with one, and would
    /// otherwise never count as read to its end.
    fn pass_markers(&mut self) -> Result<(), KafkaError> {
        for element in self.consumer.position()?.elements() {
            // Of a partition that is held back, the client has delivered more than was processed.
            let is_held = self.held.has(&(element.topic().to_owned(), element.partition()));
            if let (Offset::Offset(offset), false) = (element.offset(), is_held) {
                self.tracker.passed(element.topic(), element.partition(), offset);
            }
        }
        Ok(())
    }

    fn show(&self, topic: &str, partition: i32) {
        if let Some((position, end)) = self.tracker.progress(topic, partition) {
            self.handle.reads(topic, partition, position, end);
        }
    }

    fn show_all(&self) {
        for (topic, partition) in self.tracker.places() {
            self.show(topic, *partition);
            let Some((position, end)) = self.tracker.progress(topic, *partition) else { continue };
            self.handle.lags(topic, *partition, end - position);
        }
        self.show_caught_up();
    }

    fn show_caught_up(&self) {
        if self.complete && self.tracker.caught_up() {
            self.handle.is_caught_up();
        }
    }
}

fn list_of((topic, partition): &PartitionId) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, *partition);
    list
}

fn settings(config: &ConsumerConfig) -> ClientConfig {
    let mut settings = client_config(&config.kafka, &config.client_id);
    settings
        // The client requires a group, but partitions are assigned explicitly and offsets stored in PostgreSQL.
        .set("group.id", &config.client_id)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // If the client resets, the first record is not the anchor, and the tracker notices.
        .set("auto.offset.reset", "earliest")
        .set("check.crcs", "true")
        .set("fetch.min.bytes", if config.gathering.is_zero() { "1" } else { "65536" })
        .set(
            "fetch.wait.max.ms",
            if config.gathering.is_zero() { 250 } else { config.gathering.as_millis() }.to_string(),
        )
        .set("fetch.error.backoff.ms", "100")
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.max.bytes", "8388608")
        .set("queued.max.messages.kbytes", "8192")
        .set("max.poll.interval.ms", "86400000");
    settings
}

#[cfg(test)]
mod tests;
