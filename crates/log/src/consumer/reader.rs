//! The Kafka side of a consumer: assigns what was found, and hands out batches of new records.

use std::collections::{HashMap, HashSet};
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
use super::tracker::{Place, Start, Tracker, Verdict};
use super::{ConsumerConfig, ConsumerHandle};
use crate::Record;
use crate::kafka::{Reporter, client_config};
use crate::position::Position;

/// Most records of a batch.
const MAX_RECORDS: usize = 500;
/// A batch that has grown to so many bytes takes no more records.
const MAX_BYTES: usize = 8 << 20;

/// How often to look, at start, whether markers were passed: they wake nobody.
const CATCHING_UP: Duration = Duration::from_millis(50);

/// Reads the partitions of a configuration, each from its position.
pub(crate) struct Reader {
    consumer: Arc<StreamConsumer<Reporter>>,
    surveys: mpsc::Receiver<Survey>,
    tracker: Tracker,
    recorded: HashMap<Place, Position>,
    complete: bool,
    handle: ConsumerHandle,
    _discovery: JoinSet<()>,
}

impl Reader {
    /// Begins to look for partitions; those with no entry in `positions` are read from the start.
    pub(crate) fn start(
        config: &ConsumerConfig,
        positions: Vec<Position>,
        handle: ConsumerHandle,
    ) -> Result<Self, KafkaError> {
        let consumer: StreamConsumer<Reporter> = settings(config).create_with_context(handle.kafka.clone())?;
        let consumer = Arc::new(consumer);
        let discovery = Discovery {
            config: config.clone(),
            consumer: consumer.clone(),
            handle: handle.clone(),
            known: HashSet::new(),
        };
        let (sender, surveys) = mpsc::channel(1);
        let mut task = JoinSet::new();
        task.spawn(discovery.run(sender));
        let recorded = positions.into_iter().map(|p| ((p.topic.clone(), p.partition), p)).collect();
        let tracker = Tracker::default();
        Ok(Self { consumer, surveys, tracker, recorded, complete: false, handle, _discovery: task })
    }

    /// Waits for a record and returns it with all that are there already, at most 500.
    pub(crate) async fn next(&mut self) -> Result<Vec<Record>, KafkaError> {
        loop {
            let batch = tokio::select! {
                survey = self.surveys.recv() => {
                    self.take_up(survey.unwrap_or_default())?;
                    continue;
                }
                () = tokio::time::sleep(CATCHING_UP), if !self.handle.caught_up() => {
                    self.pass_markers()?;
                    self.show_caught_up();
                    continue;
                }
                first = self.consumer.recv() => {
                    let first = first.map(|message| Record::of(&message));
                    self.drain(first)?
                }
            };
            if !batch.is_empty() {
                return Ok(batch);
            }
            // Only an anchor was there: that may have been all.
            self.show_caught_up();
        }
    }

    /// The effects of `batch` are committed.
    pub(crate) fn committed(&mut self, batch: &[Record]) {
        for record in batch {
            self.tracker.committed(record);
        }
        let places: HashSet<_> = batch.iter().map(|record| (record.topic.as_str(), record.partition)).collect();
        for (topic, partition) in places {
            self.show(topic, partition);
        }
        self.show_caught_up();
    }

    fn drain(&mut self, first: Result<Record, KafkaError>) -> Result<Vec<Record>, KafkaError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(received) = next {
            if let Some(record) = self.receive(received)? {
                bytes += record.size();
                batch.push(record);
            }
            if batch.len() >= MAX_RECORDS || bytes >= MAX_BYTES {
                break;
            }
            let more = self.consumer.recv().now_or_never();
            next = more.map(|received| received.map(|message| Record::of(&message)));
        }
        Ok(batch)
    }

    fn receive(&mut self, received: Result<Record, KafkaError>) -> Result<Option<Record>, KafkaError> {
        let record = match received {
            Ok(record) => record,
            Err(fatal @ KafkaError::MessageConsumptionFatal(_)) => return Err(fatal),
            // The client tries again by itself; if it cannot, discovery says so.
            Err(error) => {
                tracing::debug!(%error, "while reading");
                return Ok(None);
            }
        };
        match self.tracker.accept(&record) {
            Verdict::Take => return Ok(Some(record)),
            Verdict::Skip => {}
            Verdict::Restart => self.restart(&record)?,
        }
        Ok(None)
    }

    fn restart(&mut self, record: &Record) -> Result<(), KafkaError> {
        tracing::error!(
            topic = record.topic,
            partition = record.partition,
            offset = record.offset,
            "the log is not the one read before: reading it from the earliest"
        );
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&record.topic, record.partition, Offset::Beginning)?;
        self.consumer.incremental_unassign(&list)?;
        self.consumer.incremental_assign(&list)?;
        self.tracker.restarted(&record.topic, record.partition);
        Ok(())
    }

    fn take_up(&mut self, survey: Survey) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        for (place, low) in survey.found {
            let end = survey.ends.get(&place).copied().unwrap_or(low);
            let recorded = self.recorded.remove(&place);
            let start = match self.tracker.add(place.clone(), recorded, low, end) {
                Start::Anchor(offset) => Offset::Offset(offset),
                Start::Earliest => Offset::Beginning,
            };
            tracing::info!(topic = place.0, partition = place.1, ?start, end, "reading");
            list.add_partition_offset(&place.0, place.1, start)?;
        }
        if list.count() > 0 {
            self.consumer.incremental_assign(&list)?;
        }
        survey.ends.iter().for_each(|(place, end)| self.tracker.ends(place, *end));
        self.complete |= survey.complete;
        self.pass_markers()?;
        self.show_all();
        Ok(())
    }

    /// The end of a log may be no record but the marker of a transaction.
    fn pass_markers(&mut self) -> Result<(), KafkaError> {
        for element in self.consumer.position()?.elements() {
            if let Offset::Offset(offset) = element.offset() {
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

fn settings(config: &ConsumerConfig) -> ClientConfig {
    let mut settings = client_config(&config.kafka, &config.client_id);
    settings
        // Required by the client; no group is joined and no offset committed.
        .set("group.id", &config.client_id)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // The anchor tells when this has happened.
        .set("auto.offset.reset", "earliest")
        .set("check.crcs", "true")
        .set("fetch.wait.max.ms", "250")
        .set("fetch.error.backoff.ms", "100")
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.max.bytes", "8388608")
        .set("queued.max.messages.kbytes", "8192")
        .set("max.poll.interval.ms", "86400000");
    settings
}
