//! Who may do what, worked out from the list of topics.

use std::collections::BTreeSet;

use writ_log::topics::{self, TopicSpec};

use crate::{Binding, Operation, PRODUCER_PREFIX, Producer, ProducerKind, Resource};

/// The principal that provisions a cluster. It is the broker's super user, so it needs no rights.
pub const ADMINISTRATOR: &str = "admin";
/// The principal of the mirror that writes to this region.
pub const MIRROR: &str = "mirror";
/// The principals of the services.
pub const SERVICES: [&str; 4] = ["identity", "authorization", "projector", "audit"];
/// MirrorMaker's own topics at its target: settings, positions, states.
pub const MIRROR_STATE: &str = "mm2-";
/// MirrorMaker's beats.
const HEARTBEATS: &str = "heartbeats";
/// Group of the program that watches the mirror.
const WATCHER_GROUP: &str = "writ-mirror";

/// The principal as which the mirror of another region, `reader`, reads here.
pub fn mirror_of(reader: &str) -> String {
    format!("{MIRROR}-{reader}")
}

/// The rights at one region's Kafka, of everyone.
pub fn of_region(region: &str, regions: &[&str], producers: &[Producer]) -> BTreeSet<Binding> {
    let others: Vec<&str> = regions.iter().copied().filter(|other| *other != region).collect();
    let mut all = services(&others);
    all.extend(own_mirror(&others));
    all.extend(others.iter().flat_map(|other| foreign_mirror(other, producers)));
    all.extend(producers.iter().flat_map(Producer::bindings));
    all.extend(command_topics(producers).map(refused_commands));
    all
}

/// Whether a principal's rights are ours to give and to take away.
pub fn is_ours(principal: &str) -> bool {
    let mirror = principal == MIRROR || principal.starts_with(&mirror_of(""));
    mirror || SERVICES.contains(&principal) || principal.starts_with(PRODUCER_PREFIX)
}

/// What `infra/topics.toml` says, and a group for each service's clients.
fn services(others: &[&str]) -> BTreeSet<Binding> {
    let topics = topics::all();
    let of_topics = topics.iter().flat_map(|topic| of_topic(topic, others));
    let groups = SERVICES.map(|service| may(service, Operation::Read, Resource::groups(format!("writ-{service}"))));
    of_topics
        .chain(commands(others))
        .chain(groups)
        .filter(|right| SERVICES.contains(&right.principal.as_str()))
        .collect()
}

fn of_topic(topic: &TopicSpec, others: &[&str]) -> Vec<Binding> {
    let write = |writer: &String| may(writer, Operation::Write, Resource::topic(&topic.name));
    let copies = others.iter().filter(|_| topic.mirrored).map(|origin| topics::mirrored(&topic.name, origin));
    let readable: Vec<String> = [topic.name.clone()].into_iter().chain(copies).collect();
    let read = |reader: &String| {
        readable.iter().map(|name| may(reader, Operation::Read, Resource::topic(name))).collect::<Vec<_>>()
    };
    topic.writers.iter().map(write).chain(topic.readers.iter().flat_map(read)).collect()
}

/// Every command producer has a topic of its own, and a dead-letter topic beside it.
fn commands(others: &[&str]) -> Vec<Binding> {
    let prefix = topics::IDENTITY_COMMANDS_PREFIX;
    let copies = others.iter().map(|origin| topics::mirrored(prefix, origin));
    let readable: Vec<String> = [prefix.to_owned()].into_iter().chain(copies).collect();
    let readers = ["identity", "audit"].into_iter();
    readers
        .flat_map(|reader| readable.iter().map(move |name| may(reader, Operation::Read, Resource::topics(name))))
        .collect()
}

/// The mirror that runs here: it alone makes and writes topics with a dot, and its own.
fn own_mirror(others: &[&str]) -> Vec<Binding> {
    use Operation::{Alter, AlterConfigs, Create, Describe, DescribeConfigs, Read, Write};
    let all = [Create, Read, Write, Alter, Describe, DescribeConfigs, AlterConfigs];
    let copies = others.iter().map(|origin| Resource::topics(topics::mirrored("", origin)));
    let own = copies
        .chain([Resource::topics(MIRROR_STATE)])
        .flat_map(|topics| all.map(|what| may(MIRROR, what, topics.clone())));
    let beats = [Read, Write, DescribeConfigs].map(|what| may(MIRROR, what, Resource::topic(HEARTBEATS)));
    let workers = others.iter().map(|origin| may(MIRROR, Read, Resource::groups(format!("{origin}-mm2"))));
    let watcher = may(MIRROR, Read, Resource::groups(WATCHER_GROUP));
    own.chain(beats).chain(workers).chain([watcher]).collect()
}

/// The mirror of another region: it reads what may leave this one. Commands are named one by one, because their
/// dead-letter topics, which stay, begin with the same letters.
fn foreign_mirror(reader: &str, producers: &[Producer]) -> Vec<Binding> {
    let principal = mirror_of(reader);
    let named = topics::all().into_iter().filter(|topic| topic.mirrored).map(|topic| topic.name.clone());
    let both = |topic: String| {
        [Operation::Read, Operation::DescribeConfigs].map(|what| may(&principal, what, Resource::topic(&topic)))
    };
    named.chain(command_topics(producers)).chain([HEARTBEATS.to_owned()]).flat_map(both).collect()
}

fn command_topics(producers: &[Producer]) -> impl Iterator<Item = String> {
    producers.iter().filter(|producer| producer.kind() == ProducerKind::Commands).map(Producer::topic)
}

/// Identity alone says which commands it has refused.
fn refused_commands(topic: String) -> Binding {
    may("identity", Operation::Write, Resource::topic(topics::dead_letter(&topic)))
}

fn may(principal: &str, operation: Operation, resource: Resource) -> Binding {
    Binding { principal: principal.to_owned(), operation, resource }
}

#[cfg(test)]
mod tests;
