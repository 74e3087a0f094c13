//! Finds the partitions to read, including those of regions that are added later.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use writ_kafka::topics::{self, DLQ_SUFFIX};

use super::tracker::PartitionId;
use super::{ConsumerConfig, ConsumerHandle};
use crate::kafka::Reporter;

/// Interval while an expected topic is missing.
const SOON: Duration = Duration::from_millis(500);
/// Interval otherwise.
const LATER: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(5);

/// A topic to read. A `*` in its name stands for any text, but never makes it the name of a dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Name in the region of origin.
    pub name: String,
    /// Whether to read this region's topic.
    pub local: bool,
    /// Whether to read the mirrored topics of other regions.
    pub mirrored: bool,
}

impl Subscription {
    /// Only the topic of this region.
    pub fn local(name: &str) -> Self {
        Self { name: name.to_owned(), local: true, mirrored: false }
    }

    /// The topic of this region and those of all others.
    pub fn everywhere(name: &str) -> Self {
        Self { name: name.to_owned(), local: true, mirrored: true }
    }

    fn covers(&self, base: &str, mirrored: bool) -> bool {
        let wanted = if mirrored { self.mirrored } else { self.local };
        wanted
            && match self.name.split_once('*') {
                Some((prefix, suffix)) => {
                    let dead_letters = base.ends_with(DLQ_SUFFIX) == suffix.ends_with(DLQ_SUFFIX);
                    base.strip_prefix(prefix).is_some_and(|rest| rest.ends_with(suffix)) && dead_letters
                }
                None => base == self.name,
            }
    }
}

/// Whether to read a topic.
fn wanted(config: &ConsumerConfig, topic: &str) -> bool {
    let (origin, base) = topics::split(topic);
    let known = origin
        .is_none_or(|origin| config.regions.iter().any(|region| *region != config.region && region.as_str() == origin));
    known && config.topics.iter().any(|subscription| subscription.covers(base, origin.is_some()))
}

/// The topics that should exist: local ones, and mirrored ones.
fn expected(config: &ConsumerConfig) -> (Vec<String>, Vec<String>) {
    let named = || config.topics.iter().filter(|subscription| !subscription.name.contains('*'));
    let others = config.regions.iter().filter(|region| **region != config.region);
    let local = named().filter(|s| s.local).map(|s| s.name.clone()).collect();
    let mirrored = others
        .flat_map(|region| named().filter(|s| s.mirrored).map(move |s| topics::mirrored(&s.name, region.as_str())))
        .collect();
    (local, mirrored)
}

/// The result of one look at the cluster.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// New partitions, and where their logs begin.
    pub(super) found: Vec<(PartitionId, i64)>,
    /// Ends of the logs of all partitions.
    pub(super) ends: BTreeMap<PartitionId, i64>,
    /// Whether all topics of this region exist.
    pub(super) complete: bool,
}

/// Looks for partitions periodically, and reports each result.
pub(super) struct Discovery {
    pub(super) config: ConsumerConfig,
    pub(super) consumer: Arc<StreamConsumer<Reporter>>,
    pub(super) handle: ConsumerHandle,
    pub(super) known: HashSet<PartitionId>,
}

impl Discovery {
    /// Runs until the receiver is gone.
    pub(super) async fn run(mut self, surveys: mpsc::Sender<Survey>) {
        while !surveys.is_closed() {
            let (back, result) = match tokio::task::spawn_blocking(move || self.look()).await {
                Ok(looked) => looked,
                Err(_) => return,
            };
            self = back;
            let pause = match result {
                Ok(survey) => self.report(survey, &surveys).await,
                Err(error) => {
                    self.handle.waits_for_kafka(&error.to_string());
                    SOON
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn look(mut self) -> (Self, Result<Survey, KafkaError>) {
        let survey = self.survey();
        (self, survey)
    }

    async fn report(&self, survey: Survey, surveys: &mpsc::Sender<Survey>) -> Duration {
        let (local, mirrored) = expected(&self.config);
        let missing = |names: &[String]| names.iter().find(|name| !self.known.iter().any(|(t, _)| t == *name)).cloned();
        match missing(&local) {
            Some(topic) => self.handle.waits_for_kafka(&format!("topic {topic} does not exist")),
            None => self.handle.kafka_answers(),
        }
        let complete = missing(&local).is_none();
        let pause = if complete && missing(&mirrored).is_none() { LATER } else { SOON };
        // If the receiver is gone, the loop ends.
        let _ = surveys.send(Survey { complete, ..survey }).await;
        pause
    }

    fn survey(&mut self) -> Result<Survey, KafkaError> {
        let places = self.places()?;
        let ends = self.offsets(&places, Offset::End)?;
        let new: Vec<_> = ends.keys().filter(|place| !self.known.contains(*place)).cloned().collect();
        let found: Vec<_> = self.offsets(&new, Offset::Beginning)?.into_iter().collect();
        self.known.extend(found.iter().map(|(place, _)| place.clone()));
        Ok(Survey { found, ends, complete: false })
    }

    fn places(&self) -> Result<Vec<PartitionId>, KafkaError> {
        let metadata = self.consumer.fetch_metadata(None, TIMEOUT)?;
        let wanted = metadata.topics().iter().filter(|topic| wanted(&self.config, topic.name()));
        Ok(wanted.flat_map(|topic| topic.partitions().iter().map(|p| (topic.name().to_owned(), p.id()))).collect())
    }

    /// First or end offsets of many partitions, in one request per broker: Kafka lets both be asked for as timestamps.
    /// Leaves out partitions without a leader.
    fn offsets(&self, places: &[PartitionId], at: Offset) -> Result<BTreeMap<PartitionId, i64>, KafkaError> {
        if places.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut list = TopicPartitionList::with_capacity(places.len());
        for (topic, partition) in places {
            list.add_partition_offset(topic, *partition, at)?;
        }
        let answers = self.consumer.offsets_for_times(list, TIMEOUT)?;
        let offset = |e: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match (e.error(), e.offset()) {
            (Ok(()), Offset::Offset(offset)) => Some(((e.topic().to_owned(), e.partition()), offset)),
            _ => None,
        };
        Ok(answers.elements().into_iter().filter_map(offset).collect())
    }
}

#[cfg(test)]
mod tests;
