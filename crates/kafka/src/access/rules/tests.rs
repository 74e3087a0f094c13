use super::*;
use crate::access::{AclPattern, ResourceKind};

fn allowed(principal: &str, operation: AclOperation, topic: &str) -> bool {
    let producers = [
        ExternalProducer::new("billing", ProducerKind::Commands).unwrap(),
        ExternalProducer::new("gateways", ProducerKind::Entities).unwrap(),
    ];
    of_region("us", &["us", "eu", "au"], &producers).iter().any(|right| {
        let resource = &right.resource;
        let fits = match resource.pattern {
            AclPattern::Literal => resource.name == topic,
            AclPattern::Prefixed => topic.starts_with(&resource.name),
        };
        right.principal == principal && right.operation == operation && resource.kind == ResourceKind::Topic && fits
    })
}

fn writers(topic: &str) -> Vec<String> {
    let all = [
        "identity",
        "authorization",
        "projector",
        "audit",
        "mirror",
        "mirror-eu",
        "producer-billing",
        "producer-gateways",
    ];
    all.into_iter().filter(|who| allowed(who, AclOperation::Write, topic)).map(str::to_owned).collect()
}

#[test]
fn every_topic_has_the_writers_of_the_architecture() {
    assert_eq!(writers("identity-events"), ["identity"]);
    assert_eq!(writers("policy-changes"), ["authorization"]);
    assert_eq!(writers("policy-snapshots"), ["authorization"]);
    assert_eq!(writers("snapshot-requests"), ["authorization", "projector"]);
    assert_eq!(writers("entity-events-gateways"), ["producer-gateways"]);
    assert_eq!(writers("entity-events-gateways-dlq"), ["authorization"]);
    assert!(writers("entity-events-other").is_empty() && writers("entity-events-billing").is_empty());
    assert_eq!(writers("identity-commands-billing"), ["producer-billing"]);
    assert_eq!(writers("identity-commands-billing-dlq"), ["identity"]);
    assert_eq!(writers("decisions"), ["projector"]);
    assert_eq!(writers("audit-heads"), ["audit"]);
}

#[test]
fn only_the_mirror_writes_and_creates_topics_with_a_dot() {
    for topic in ["eu.policy-changes", "au.identity-commands-billing", "eu.heartbeats"] {
        assert_eq!(writers(topic), ["mirror"]);
    }
    for who in ["identity", "authorization", "projector", "audit", "mirror-eu", "producer-billing"] {
        assert!(!allowed(who, AclOperation::Create, "eu.policy-changes"), "{who}");
    }
}

#[test]
fn a_foreign_mirror_reads_what_may_leave_and_nothing_else() {
    for topic in ["policy-changes", "organizations", "identity-commands-billing", "heartbeats"] {
        assert!(allowed("mirror-eu", AclOperation::Read, topic), "{topic}");
    }
    let home = ["identity-events", "entity-events-gateways", "decisions", "admin-acts", "entity-events-gateways-dlq"];
    for topic in home.into_iter().chain(["identity-commands-billing-dlq", "au.policy-changes"]) {
        assert!(!allowed("mirror-eu", AclOperation::Read, topic), "{topic}");
    }
    assert!(!allowed("mirror-eu", AclOperation::Write, "heartbeats"));
}

#[test]
fn services_read_mirrored_copies_of_what_they_read_at_home() {
    assert!(allowed("projector", AclOperation::Read, "eu.policy-changes"));
    assert!(!allowed("projector", AclOperation::Read, "identity-events"));
    for who in ["authorization", "audit"] {
        assert!(allowed(who, AclOperation::Read, "entity-events-gateways"), "{who}");
        assert!(!allowed(who, AclOperation::Read, "eu.entity-events-gateways"), "{who}");
    }
    assert!(!allowed("identity", AclOperation::Read, "entity-events-gateways"));
    assert!(!allowed("identity", AclOperation::Read, "eu.policy-changes"));
    assert!(allowed("identity", AclOperation::Read, "eu.identity-commands-billing"));
}

#[test]
fn what_others_have_at_the_cluster_is_left_alone() {
    assert!(is_ours("identity") && is_ours("mirror-eu") && is_ours("producer-billing") && is_ours("mirror"));
    assert!(!is_ours("analytics") && !is_ours("admin") && !is_ours("mirrors"));
}

#[test]
fn every_principal_of_the_list_of_topics_exists() {
    for topic in topics::all() {
        for who in topic.writers.iter().chain(&topic.readers) {
            assert!(SERVICES.contains(&who.as_str()) || who == MIRROR, "{who} of {}", topic.name);
        }
    }
}

#[test]
fn an_entity_producer_writes_one_topic_and_reads_none() {
    let bindings = external(&ExternalProducer::new("gateways", ProducerKind::Entities).unwrap());
    assert_eq!(bindings.len(), 1);
    let resource = &bindings[0].resource;
    assert_eq!((bindings[0].operation, resource.name.as_str()), (AclOperation::Write, "entity-events-gateways"));
}
