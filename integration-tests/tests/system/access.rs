//! What each principal may do at a region's Kafka: what the architecture says, and nothing else.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use integration_tests::access::Visitor;
use integration_tests::{COMMANDER, System, until};
use tokio::sync::Mutex;
use writ_kafka::access::{AclOperation, AclResource, Binding, Changed, Credential, enforce, rules};
use writ_kafka::topics::{self, TopicSpec};
use writ_kafka::{ExternalProducer, ProducerKind};

use crate::letting_in;

const HERE: &str = "us";
const OTHERS: [&str; 2] = ["eu", "au"];
/// As the cluster has them: one system announces entities, one sends commands.
const ENTITIES: &str = "producer-demo";
const COMMANDS: &str = "producer-billing";
/// A principal that is not ours.
const STRANGER: &str = "analytics";

/// Held by a test that changes rights, and by those that would notice.
pub(crate) static RIGHTS: Mutex<()> = Mutex::const_new(());

fn principals() -> Vec<String> {
    let others = OTHERS.iter().map(|region| rules::mirror_of(region));
    let named = rules::SERVICES.into_iter().chain([rules::MIRROR, ENTITIES, COMMANDS]);
    named.map(str::to_owned).chain(others).collect()
}

fn producers() -> [ExternalProducer; 2] {
    [("demo", ProducerKind::Entities), (COMMANDER, ProducerKind::Commands)]
        .map(|(name, kind)| ExternalProducer::new(name, kind).unwrap())
}

/// Every topic of this region: those of `infra/topics.toml` and those of the external producers.
fn specs() -> Vec<TopicSpec> {
    let own = producers().into_iter().flat_map(|producer| producer.own_topics());
    topics::all().into_iter().cloned().chain(own).collect()
}

fn spec(topic: &str) -> Option<TopicSpec> {
    specs().into_iter().find(|spec| spec.name == topic)
}

fn is_own_topic(producer: &str, topic: &str) -> bool {
    producers().iter().any(|known| known.principal() == producer && known.topic() == topic)
}

/// The region that a topic comes from, if not this one, and its name there.
fn origin(topic: &str) -> (Option<&str>, &str) {
    topic.split_once('.').map_or((None, topic), |(region, name)| (Some(region), name))
}

fn is_of_the_mirror(topic: &str) -> bool {
    OTHERS.iter().any(|region| origin(topic).0 == Some(region)) || topic.starts_with("mm2-") || topic == "heartbeats"
}

fn may_write(who: &str, topic: &str) -> bool {
    let listed = |topic: &TopicSpec| topic.writers.iter().any(|writer| writer == who);
    match who {
        rules::MIRROR => is_of_the_mirror(topic),
        ENTITIES | COMMANDS => is_own_topic(who, topic),
        _ => spec(topic).as_ref().is_some_and(listed),
    }
}

fn may_read(who: &str, topic: &str) -> bool {
    let (region, name) = origin(topic);
    let listed =
        |topic: &TopicSpec| (region.is_none() || topic.mirrored) && topic.readers.iter().any(|reader| reader == who);
    match who {
        rules::MIRROR => is_of_the_mirror(topic),
        ENTITIES => false,
        COMMANDS => topic == topics::IDENTITY_COMMAND_RESULTS,
        // Their rights are by prefix, which covers dead letters, too.
        "identity" if name.starts_with(topics::IDENTITY_COMMANDS_PREFIX) => true,
        "authorization" if region.is_none() && name.starts_with(topics::ENTITY_EVENTS_PREFIX) => true,
        _ if who.starts_with("mirror-") => region.is_none() && leaves_the_region(name),
        _ => spec(name).as_ref().is_some_and(listed),
    }
}

fn leaves_the_region(topic: &str) -> bool {
    topic == "heartbeats" || spec(topic).is_some_and(|topic| topic.mirrored)
}

fn those(topics: &BTreeSet<String>, which: impl Fn(&str) -> bool) -> BTreeSet<String> {
    topics.iter().filter(|topic| which(topic)).cloned().collect()
}

/// Every topic of the region, once those of the other regions have arrived.
async fn all_topics(system: &System) -> Result<BTreeSet<String>> {
    let mut expected: BTreeSet<String> = specs().into_iter().map(|topic| topic.name).collect();
    let travelling: Vec<String> = expected.iter().filter(|topic| leaves_the_region(topic)).cloned().collect();
    expected.extend(OTHERS.iter().flat_map(|region| travelling.iter().map(|topic| topics::mirrored(topic, region))));
    let administrator = Visitor::new(system.kafka(HERE));
    until("all topics", async || {
        let seen = lasting(administrator.sees()?);
        Ok(expected.is_subset(&seen).then_some(seen))
    })
    .await
}

/// Without the topics of the producer that another test lets in meanwhile.
fn lasting(topics: BTreeSet<String>) -> BTreeSet<String> {
    those(&topics, |topic| !topic.contains(letting_in::NAME))
}

fn visitor(system: &System, who: &str) -> Visitor {
    Visitor::new(system.kafka_as(HERE, who))
}

/// Every principal, every topic: the broker allows what `infra/topics.toml` and the architecture say. Nobody is even
/// shown another topic.
#[tokio::test(flavor = "multi_thread")]
async fn everyone_reads_and_writes_what_the_architecture_says_and_nothing_else() -> Result<()> {
    let system = System::running().await?;
    let topics = all_topics(system).await?;
    let _alone = RIGHTS.lock().await;
    let principals = principals();
    try_join_all(principals.iter().map(|who| does_what_it_may(system, who, &topics))).await.map(drop)
}

async fn does_what_it_may(system: &System, who: &str, topics: &BTreeSet<String>) -> Result<()> {
    let visitor = visitor(system, who);
    assert_eq!(visitor.writes(topics).await?, those(topics, |topic| may_write(who, topic)), "{who} writes");
    assert_eq!(visitor.reads(topics).await?, those(topics, |topic| may_read(who, topic)), "{who} reads");
    let known = those(topics, |topic| may_write(who, topic) || may_read(who, topic));
    assert_eq!(lasting(visitor.sees()?), known, "{who} sees");
    Ok(())
}

/// Nobody makes a topic, or adds partitions, but the mirror its copies; and nobody deletes one.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_mirror_makes_topics_and_only_copies() -> Result<()> {
    let system = System::running().await?;
    let topics = all_topics(system).await?;
    let new = ["probe", "policy-changes-2", "identity-commands-probe", "us.probe", "eu.probe", "xx.probe", "mm2-probe"];
    let new = BTreeSet::from(new.map(str::to_owned));
    for who in principals() {
        let (visitor, is_mirror) = (visitor(system, &who), who == rules::MIRROR);
        let copies = |topic: &str| is_mirror && is_of_the_mirror(topic) && topic != "heartbeats";
        assert_eq!(visitor.creates(&new).await?, those(&new, copies), "{who} creates");
        assert_eq!(visitor.extends(&topics).await?, those(&topics, copies), "{who} extends");
        assert_eq!(visitor.deletes(&topics).await?, BTreeSet::new(), "{who} deletes");
    }
    Ok(())
}

/// How long records stay, for one, is nobody's to change, the topic's own writer's neither.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_the_settings_of_a_topic() -> Result<()> {
    let system = System::running().await?;
    let administrator = Visitor::new(system.kafka(HERE));
    let before = administrator.settings(topics::POLICY_CHANGES).await?;
    for who in principals() {
        visitor(system, &who).tries_to_change(topics::POLICY_CHANGES).await?;
        assert_eq!(administrator.settings(topics::POLICY_CHANGES).await?, before, "{who}");
    }
    Ok(())
}

/// Rights and passwords are the administrator's business, and a service's group is its own.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_rights_and_services_keep_to_their_groups() -> Result<()> {
    let system = System::running().await?;
    for who in principals() {
        let kafka = system.kafka_as(HERE, &who);
        ensure!(enforce(&kafka, Vec::new(), wanted(system)?).await.is_err(), "{who} may look at rights");
        let login = kafka.login().unwrap().clone();
        let own = Credential { principal: login.username, password: login.password };
        ensure!(enforce(&kafka, vec![own], wanted(system)?).await.is_err(), "{who} may set passwords");
    }
    for who in rules::SERVICES {
        for owner in rules::SERVICES {
            let used = visitor(system, who).uses_group(&format!("writ-{owner}"))?;
            assert_eq!(used, who == owner, "{who} in the group of {owner}");
        }
    }
    Ok(())
}

fn wanted(system: &System) -> Result<BTreeSet<Binding>> {
    Ok(rules::of_region(HERE, &[HERE, OTHERS[0], OTHERS[1]], &system.producers()?))
}

/// The broker has exactly the computed rights, however often a cluster is brought up; one of ours that should not be
/// there goes, and what others have given to their own principals stays.
#[tokio::test(flavor = "multi_thread")]
async fn the_rights_are_exactly_the_computed_ones() -> Result<()> {
    let system = System::running().await?;
    let _alone = RIGHTS.lock().await;
    let (administrator, wanted) = (system.kafka(HERE), wanted(system)?);
    for _ in 0..2 {
        system.provision(HERE).await?;
        assert_eq!(enforce(&administrator, Vec::new(), wanted.clone()).await?, Changed { created: 0, deleted: 0 });
    }
    let more = ["projector", STRANGER].map(may_read_identity_events);
    enforce(&administrator, vec![stranger(system)], wanted.iter().cloned().chain(more).collect()).await?;
    for who in ["projector", STRANGER] {
        reads_identity_events(system, who, true).await?;
    }
    system.provision(HERE).await?;
    reads_identity_events(system, "projector", false).await?;
    reads_identity_events(system, STRANGER, true).await
}

fn may_read_identity_events(who: &str) -> Binding {
    let resource = AclResource::topic(topics::IDENTITY_EVENTS);
    Binding { principal: who.to_owned(), operation: AclOperation::Read, resource }
}

/// A principal that somebody else has made.
fn stranger(system: &System) -> Credential {
    let login = system.kafka_as(HERE, STRANGER).login().unwrap().clone();
    Credential { principal: login.username, password: login.password }
}

/// Waits until a change of rights has reached the broker's authorizer.
async fn reads_identity_events(system: &System, who: &str, expected: bool) -> Result<()> {
    let topic = BTreeSet::from([topics::IDENTITY_EVENTS.to_owned()]);
    let reads = async || Ok((visitor(system, who).reads(&topic).await?.is_empty() != expected).then_some(()));
    until(&format!("{who} reads identity-events: {expected}"), reads).await
}
