//! Finds the partitions to read, including those of regions that are added later.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use writ_kafka::topics::{self, DLQ_SUFFIX};

use super::tracker::{LogBounds, PartitionId};
use super::{ConsumerConfig, ConsumerHandle};
use crate::kafka::Reporter;
use crate::loops::LoopTurns;

/// Interval while an expected topic is missing, and after the first look.
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
    /// New partitions.
    pub(super) found: Vec<(PartitionId, LogBounds)>,
    /// All partitions that could be asked.
    pub(super) bounds: BTreeMap<PartitionId, LogBounds>,
    /// A topic that is another one than at the last look.
    pub(super) replaced: Option<String>,
    /// Known partitions that have a leader and could not be asked.
    pub(super) unanswered: Vec<PartitionId>,
    /// Whether all partitions of all topics of this region, and of those mirrored topics that exist, are known.
    pub(super) complete: bool,
}

/// What the cluster says of its topics.
#[derive(Debug, Default)]
struct Places {
    /// Number of partitions, by topic.
    topics: BTreeMap<String, usize>,
    /// Partitions with a leader.
    led: Vec<PartitionId>,
}

/// Looks for partitions periodically, and reports each result.
pub(super) struct Discovery {
    pub(super) config: ConsumerConfig,
    pub(super) consumer: Arc<StreamConsumer<Reporter>>,
    pub(super) handle: ConsumerHandle,
    pub(super) known: HashSet<PartitionId>,
    /// Ids of the topics.
    pub(super) ids: BTreeMap<String, u128>,
    /// When they were last asked for.
    pub(super) ids_asked: Option<Instant>,
}

impl Discovery {
    /// Runs until the receiver is gone.
    pub(super) async fn run(mut self, surveys: mpsc::Sender<Survey>) {
        let turns = LoopTurns::new(&format!("discovery/{}", self.config.client_id));
        while !surveys.is_closed() {
            turns.note();
            let (back, result) = match tokio::task::spawn_blocking(move || self.look()).await {
                Ok(looked) => looked,
                Err(_) => return,
            };
            self = back;
            let pause = match result {
                Ok(found) => self.report(found, &surveys).await,
                Err(error) => {
                    self.handle.waits_for_kafka(&error.to_string());
                    SOON
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn look(mut self) -> (Self, Result<(Places, Survey), KafkaError>) {
        let survey = self.survey();
        (self, survey)
    }

    async fn report(&self, (places, survey): (Places, Survey), surveys: &mpsc::Sender<Survey>) -> Duration {
        let (local, mirrored) = expected(&self.config);
        let missing = local.iter().find(|topic| !places.topics.contains_key(*topic));
        let missing = match missing {
            Some(topic) => Some(format!("topic {topic} does not exist")),
            None => missing_partition(&places.topics, &self.known),
        };
        let complete = missing.is_none();
        match missing {
            Some(reason) => self.handle.waits_for_kafka(&reason),
            None => self.handle.kafka_answers(),
        }
        let found = complete && mirrored.iter().all(|topic| places.topics.contains_key(topic));
        let looked_twice = self.known.is_empty() || self.ids_asked.is_some();
        let pause = if found && looked_twice { LATER } else { SOON };
        // If the receiver is gone, the loop ends.
        let _ = surveys.send(Survey { complete, ..survey }).await;
        pause
    }

    fn survey(&mut self) -> Result<(Places, Survey), KafkaError> {
        let places = self.places()?;
        let replaced = self.replaced(&places.topics.keys().cloned().collect::<Vec<_>>());
        let lows = self.offsets(&places.led, Offset::Beginning)?;
        let ends = self.offsets(&places.led, Offset::End)?;
        let bounds: BTreeMap<_, _> = lows
            .into_iter()
            .filter_map(|(place, low)| ends.get(&place).map(|end| (place, LogBounds { low, end: *end })))
            .collect();
        let new = bounds.iter().filter(|(place, _)| !self.known.contains(*place));
        let found: Vec<_> = new.map(|(place, bounds)| (place.clone(), *bounds)).collect();
        let silent = places.led.iter().filter(|place| self.known.contains(*place) && !bounds.contains_key(*place));
        let unanswered = silent.cloned().collect();
        self.known.extend(found.iter().map(|(place, _)| place.clone()));
        Ok((places, Survey { found, bounds, replaced, unanswered, complete: false }))
    }

    /// Takes note of the ids of the topics, every few seconds but not at the first look, which nothing should delay.
    /// Returns a topic that had another id.
    fn replaced(&mut self, topics: &[String]) -> Option<String> {
        if self.known.is_empty() || self.ids_asked.is_some_and(|asked| asked.elapsed() < LATER) {
            return None;
        }
        self.ids_asked = Some(Instant::now());
        let ids = topics::ids(self.consumer.client(), topics);
        let replaced = ids.iter().find(|(topic, id)| self.ids.get(*topic).is_some_and(|known| known != *id));
        let replaced = replaced.map(|(topic, _)| topic.clone());
        self.ids.extend(ids);
        replaced
    }

    fn places(&self) -> Result<Places, KafkaError> {
        let metadata = self.consumer.fetch_metadata(None, TIMEOUT)?;
        let mut places = Places::default();
        for topic in metadata.topics().iter().filter(|topic| wanted(&self.config, topic.name())) {
            places.topics.insert(topic.name().to_owned(), topic.partitions().len());
            let led = topic.partitions().iter().filter(|partition| partition.leader() >= 0);
            places.led.extend(led.map(|partition| (topic.name().to_owned(), partition.id())));
        }
        Ok(places)
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

/// What is missing of the topics that exist: of each, at least the partitions in the list of topics. A partition without
/// a leader is not known, and therefore missing.
fn missing_partition(topics: &BTreeMap<String, usize>, known: &HashSet<PartitionId>) -> Option<String> {
    topics.iter().find_map(|(topic, found)| {
        let listed =
            topics::spec(topics::split(topic).1).map_or(0, |spec| usize::try_from(spec.partitions).unwrap_or(0));
        let wanted = listed.max(*found);
        let missing = (0..).take(wanted).find(|partition| !known.contains(&(topic.clone(), *partition)))?;
        Some(format!("partition {missing} of topic {topic} has no leader or does not exist"))
    })
}

#[cfg(test)]
mod tests;
