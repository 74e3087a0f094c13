use writ_kafka::Connection;
use writ_kafka::topics::{IDENTITY_EVENTS, POLICY_CHANGES};

use super::*;

fn config() -> ConsumerConfig {
    ConsumerConfig {
        kafka: Connection::plaintext(""),
        client_id: String::new(),
        region: "eu".parse().unwrap(),
        regions: vec!["us".parse().unwrap(), "eu".parse().unwrap()],
        topics: vec![
            Subscription::everywhere(POLICY_CHANGES),
            Subscription::local(IDENTITY_EVENTS),
            Subscription::local("entity-events-*"),
            Subscription::local("identity-commands-*-dlq"),
            Subscription::everywhere("identity-commands-*"),
        ],
        gathering: Duration::ZERO,
    }
}

#[test]
fn only_what_is_subscribed_and_of_known_regions_is_read() {
    for topic in [
        "policy-changes",
        "us.policy-changes",
        "entity-events-gateways",
        "identity-commands-crm",
        "us.identity-commands-crm",
        "identity-commands-crm-dlq",
    ] {
        assert!(wanted(&config(), topic), "{topic}");
    }
    for topic in [
        "us.entity-events-gateways",
        "entity-events",
        "au.policy-changes",
        "eu.policy-changes",
        "policy-changes-x",
        "entity-events-gateways-dlq",
        "us.identity-commands-crm-dlq",
        "identity-command-results",
        "au.us.policy-changes",
        "__consumer_offsets",
    ] {
        assert!(!wanted(&config(), topic), "{topic}");
    }
}

#[test]
fn named_topics_are_expected() {
    let (local, mirrored) = expected(&config());
    assert_eq!(local, ["policy-changes", "identity-events"]);
    assert_eq!(mirrored, ["us.policy-changes"]);
}

#[test]
fn every_partition_of_a_topic_counts_even_without_a_leader() {
    let topics = |found| BTreeMap::from([("us.policy-changes".to_owned(), found), ("unlisted".to_owned(), 2)]);
    let mut known: HashSet<PartitionId> = (0..5).map(|partition| ("us.policy-changes".to_owned(), partition)).collect();
    known.extend((0..2).map(|partition| ("unlisted".to_owned(), partition)));
    let missing = missing_partition(&topics(6), &known).unwrap();
    assert!(missing.contains("partition 5 of topic us.policy-changes"), "{missing}");
    assert_eq!(missing_partition(&topics(5), &known), Some(missing), "fewer than are listed");
    known.insert(("us.policy-changes".to_owned(), 5));
    assert_eq!(missing_partition(&topics(6), &known), None);
    known.remove(&("unlisted".to_owned(), 1));
    assert!(missing_partition(&topics(6), &known).unwrap().contains("unlisted"));
}
