//! Finds the partitions to read, those of regions that are added later included.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;

use super::tracker::Place;
use super::{ConsumerConfig, ConsumerHandle};
use crate::kafka::Reporter;
use writ_kafka::topics::{self, DLQ_SUFFIX};

/// How often to look while something that should be there is missing.
const SOON: Duration = Duration::from_millis(500);
/// How often to look otherwise.
const LATER: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(5);

/// A topic to read. A `*` in its name stands for any text, but never makes it the name of a dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Name in the region of origin.
    pub name: String,
    /// Whether to read this region's own.
    pub local: bool,
    /// Whether to read the copies of other regions' topics.
    pub mirrored: bool,
}

impl Subscription {
    /// This region's own topic only.
    pub fn local(name: &str) -> Self {
        Self { name: name.to_owned(), local: true, mirrored: false }
    }

    /// This region's own and all other regions'.
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

/// Whether a topic of the cluster is to be read.
fn wanted(config: &ConsumerConfig, topic: &str) -> bool {
    let (origin, base) = topics::split(topic);
    let known = origin.is_none_or(|origin| {
        config.regions.iter().any(|region| *region != config.region && region.as_str() == origin)
    });
    known && config.topics.iter().any(|subscription| subscription.covers(base, origin.is_some()))
}

/// Topics that should be there: in this region, and as copies of other regions'.
fn expected(config: &ConsumerConfig) -> (Vec<String>, Vec<String>) {
    let named = || config.topics.iter().filter(|subscription| !subscription.name.contains('*'));
    let others = config.regions.iter().filter(|region| **region != config.region);
    let local = named().filter(|s| s.local).map(|s| s.name.clone()).collect();
    let mirrored = others
        .flat_map(|region| named().filter(|s| s.mirrored).map(move |s| topics::mirrored(&s.name, region.as_str())))
        .collect();
    (local, mirrored)
}

/// What one look at the cluster showed.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Partitions not seen before, and where their logs begin.
    pub(super) found: Vec<(Place, i64)>,
    /// Where the logs of all partitions end.
    pub(super) ends: BTreeMap<Place, i64>,
    /// Whether all topics of this region are there.
    pub(super) complete: bool,
}

/// Looks again and again, and reports each look.
pub(super) struct Discovery {
    pub(super) config: ConsumerConfig,
    pub(super) consumer: Arc<StreamConsumer<Reporter>>,
    pub(super) handle: ConsumerHandle,
    pub(super) known: HashSet<Place>,
}

impl Discovery {
    /// Until nobody listens.
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
        // Nobody listens any more: the loop ends.
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

    fn places(&self) -> Result<Vec<Place>, KafkaError> {
        let metadata = self.consumer.fetch_metadata(None, TIMEOUT)?;
        let wanted = metadata.topics().iter().filter(|topic| wanted(&self.config, topic.name()));
        Ok(wanted.flat_map(|topic| topic.partitions().iter().map(|p| (topic.name().to_owned(), p.id()))).collect())
    }

    /// First or end offsets of many partitions, in one request a broker. Kafka takes these two as
    /// points in time. Partitions without a leader are left out.
    fn offsets(&self, places: &[Place], at: Offset) -> Result<BTreeMap<Place, i64>, KafkaError> {
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
