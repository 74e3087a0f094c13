//! Who may do what, computed from the list of topics.

use std::collections::BTreeSet;

use super::binding::{AclOperation, AclResource, Binding};
use crate::topics::{self, HEARTBEATS, TopicSpec};
use crate::{ExternalProducer, PRODUCER_PREFIX, ProducerKind};

/// The principal that provisions a cluster: a super user of the broker, which needs no bindings.
pub const ADMINISTRATOR: &str = "admin";
/// The principal of the mirror that writes to this region.
pub const MIRROR: &str = "mirror";
/// The principals of the services.
pub const SERVICES: [&str; 4] = ["identity", "authorization", "projector", "audit"];
/// Prefix of MirrorMaker's internal topics at its target: settings, offsets, states.
pub const MIRROR_STATE: &str = "mm2-";
/// Consumer group of mirror-watch, which shares the mirror's principal.
const MIRROR_WATCH_GROUP: &str = "writ-mirror-watch";

/// The principal that the mirror of another region, `reader`, uses here.
pub fn mirror_of(reader: &str) -> String {
    format!("{MIRROR}-{reader}")
}

/// The principal that the mirror of `target` uses at the Kafka of `region`.
pub fn mirror_to(target: &str, region: &str) -> String {
    if target == region { MIRROR.to_owned() } else { mirror_of(target) }
}

/// All bindings at one region's Kafka.
pub fn of_region(region: &str, regions: &[&str], producers: &[ExternalProducer]) -> BTreeSet<Binding> {
    let others: Vec<&str> = regions.iter().copied().filter(|other| *other != region).collect();
    let own: Vec<TopicSpec> = producers.iter().flat_map(ExternalProducer::own_topics).collect();
    let mut all = services(&others, &own);
    all.extend(own_mirror(&others));
    all.extend(others.iter().flat_map(|other| foreign_mirror(other, &own)));
    all.extend(producers.iter().flat_map(external));
    all
}

/// Whether we manage the bindings of this principal.
pub fn is_ours(principal: &str) -> bool {
    let mirror = principal == MIRROR || principal.starts_with(&mirror_of(""));
    mirror || SERVICES.contains(&principal) || principal.starts_with(PRODUCER_PREFIX)
}

/// The readers and writers of `infra/topics.toml`, and a group for each service's clients.
fn services(others: &[&str], of_producers: &[TopicSpec]) -> BTreeSet<Binding> {
    let all = topics::all();
    let written = all.iter().copied().chain(of_producers).flat_map(writers);
    let read = all.iter().flat_map(|topic| readers(topic, &AclResource::topic(&topic.name), others));
    let groups =
        SERVICES.map(|service| may(service, AclOperation::Read, AclResource::groups(format!("writ-{service}"))));
    written
        .chain(read)
        .chain(readers_by_prefix(others))
        .chain(groups)
        .filter(|binding| SERVICES.contains(&binding.principal.as_str()))
        .collect()
}

fn writers(topic: &TopicSpec) -> impl Iterator<Item = Binding> {
    topic.writers.iter().map(|writer| may(writer, AclOperation::Write, AclResource::topic(&topic.name)))
}

/// Readers of a topic also read its copies, which have the same name after the region's.
fn readers(topic: &TopicSpec, here: &AclResource, others: &[&str]) -> Vec<Binding> {
    let copy = |origin: &&str| AclResource { name: topics::mirrored(&here.name, origin), ..here.clone() };
    let copies = others.iter().filter(|_| topic.mirrored).map(copy);
    let readable = [here.clone()].into_iter().chain(copies);
    readable.flat_map(|resource| read_by(&topic.readers, resource)).collect()
}

fn read_by(readers: &[String], resource: AclResource) -> impl Iterator<Item = Binding> {
    readers.iter().map(move |reader| may(reader, AclOperation::Read, resource.clone()))
}

/// A prefix covers the topics of all external producers of a kind: also the dead-letter topics, and those of commands of
/// other regions' producers.
fn readers_by_prefix(others: &[&str]) -> Vec<Binding> {
    let of = |topic: &TopicSpec| {
        let prefix = topic.producer_prefix()?;
        Some(readers(topic, &AclResource::topics(prefix), others))
    };
    topics::per_producer().into_iter().filter_map(of).flatten().collect()
}

/// The mirror that runs here. Nobody else may create or write topics with a dot in their names.
fn own_mirror(others: &[&str]) -> Vec<Binding> {
    use AclOperation::{Alter, AlterConfigs, Create, Describe, DescribeConfigs, Read, Write};
    let all = [Create, Read, Write, Alter, Describe, DescribeConfigs, AlterConfigs];
    let copies = others.iter().map(|origin| AclResource::topics(topics::mirrored("", origin)));
    let own = copies
        .chain([AclResource::topics(MIRROR_STATE)])
        .flat_map(|topics| all.map(|operation| may(MIRROR, operation, topics.clone())));
    let beats = [Read, Write, DescribeConfigs].map(|operation| may(MIRROR, operation, AclResource::topic(HEARTBEATS)));
    let workers = others.iter().map(|origin| may(MIRROR, Read, AclResource::groups(format!("{origin}-mm2"))));
    let mirror_watch = may(MIRROR, Read, AclResource::groups(MIRROR_WATCH_GROUP));
    own.chain(beats).chain(workers).chain([mirror_watch]).collect()
}

/// The mirror of another region reads the mirrored topics of this one. Those of external producers are named one by
/// one, because a prefix would cover their dead-letter topics, which stay here.
fn foreign_mirror(reader: &str, of_producers: &[TopicSpec]) -> Vec<Binding> {
    let principal = mirror_of(reader);
    let all = topics::all();
    let mirrored = all.iter().copied().chain(of_producers).filter(|topic| topic.mirrored);
    let both = |topic: &str| {
        let read = [AclOperation::Read, AclOperation::DescribeConfigs];
        read.map(|operation| may(&principal, operation, AclResource::topic(topic)))
    };
    mirrored.map(|topic| topic.name.as_str()).chain([HEARTBEATS]).flat_map(both).collect()
}

/// An external producer writes its topic and reads the outcomes of its commands.
fn external(producer: &ExternalProducer) -> Vec<Binding> {
    let principal = producer.principal();
    let mut all = vec![may(&principal, AclOperation::Write, AclResource::topic(producer.topic()))];
    if producer.kind() == ProducerKind::Commands {
        all.push(may(&principal, AclOperation::Read, AclResource::topic(topics::IDENTITY_COMMAND_RESULTS)));
        all.push(may(&principal, AclOperation::Read, AclResource::groups(format!("{principal}."))));
    }
    all
}

fn may(principal: &str, operation: AclOperation, resource: AclResource) -> Binding {
    Binding { principal: principal.to_owned(), operation, resource }
}

#[cfg(test)]
mod tests;
