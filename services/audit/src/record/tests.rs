use writ_contract::actor::ActorKind;
use writ_contract::codec::encode;
use writ_contract::decision::DecisionRecord;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::identity_event::IdentityEvent;

use super::*;

const ORGANIZATION: Uuid = Uuid::from_u128(7);

/// An entry of an organization, made up.
pub(crate) fn entry(organization: u128, id: &str) -> Entry {
    Entry {
        organization: Uuid::from_u128(organization),
        origin: "us".to_owned(),
        topic: "identity-events".to_owned(),
        source: "/us/identity".to_owned(),
        id: id.to_owned(),
        record_type: "writ.IdentityEvent".to_owned(),
        occurred_at: Timestamp(1_760_000_000_000_000),
        actor: Some(Actor::system("identity")),
        defect: None,
        key: Some(b"key".to_vec()),
        headers: vec![("ce_id".to_owned(), id.as_bytes().to_vec())],
        payload: Some(b"payload".to_vec()),
        payload_hash: Hash::of(&[b"payload"]),
    }
}

/// A record as Writ writes it, with trace headers.
pub(crate) fn written<R: writ_contract::Record>(topic: &str, key: &str, record: &R) -> Record {
    let mut envelope = Envelope::new::<R>("/us/identity");
    envelope.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    Record {
        topic: topic.to_owned(),
        partition: 3,
        offset: 42,
        timestamp: Timestamp(1_760_000_000_000_000),
        key: Some(key.as_bytes().to_vec()),
        headers: envelope.to_headers(Some(key.as_bytes())),
        value: Some(encode(record).unwrap()),
    }
}

pub(crate) fn identity_event(organization: Uuid) -> IdentityEvent {
    IdentityEvent {
        organization,
        epoch: 1,
        revision: 1,
        committed_at: Timestamp(1_759_999_999_000_000),
        actor: Actor { kind: ActorKind::User, id: "u-1".to_owned() },
        cause: None,
        request_id: None,
        features: 0,
        payload: vec![],
    }
}

fn kept(record: &Record) -> Entry {
    Entry::of(record, "eu", &SchemaRegistry::default()).unwrap()
}

#[test]
fn an_event_says_who_and_when() {
    let record = written("us.identity-events", &ORGANIZATION.to_string(), &identity_event(ORGANIZATION));
    let entry = kept(&record);
    assert_eq!((entry.origin.as_str(), entry.topic.as_str()), ("us", "identity-events"));
    assert_eq!(entry.organization, ORGANIZATION);
    assert_eq!(entry.actor.unwrap().id, "u-1");
    assert_eq!(entry.occurred_at, Timestamp(1_759_999_999_000_000));
    assert_eq!(entry.defect, None);
    assert_eq!(entry.payload, record.value);
    assert!(entry.headers.iter().any(|(name, _)| name == "ce_id"));
    assert!(!entry.headers.iter().any(|(name, _)| name.contains("trace")));
}

#[test]
fn a_copy_with_another_offset_and_trace_has_the_same_key() {
    let mut record = written("us.policy-changes", &ORGANIZATION.to_string(), &identity_event(ORGANIZATION));
    let first = kept(&record);
    record.offset += 10;
    record.headers.retain(|(name, _)| name != "traceparent");
    assert_eq!(kept(&record), first);
}

#[test]
fn a_decision_belongs_to_the_organization_in_its_payload() {
    let decision = DecisionRecord {
        id: Uuid::from_u128(99),
        organization: ORGANIZATION,
        region: "eu".to_owned(),
        at: Timestamp(1),
        requester: Actor { kind: ActorKind::SystemAccount, id: "s-1".to_owned() },
        subject: Uuid::from_u128(5),
        action: "view".to_owned(),
        resource_type: "control_planes".to_owned(),
        resource_id: "cp-1".to_owned(),
        decision: true,
        reason: "granted".to_owned(),
        heads: vec![],
        age_ms: 0,
        trace_id: None,
        sample_rate: 1.0,
    };
    let entry = kept(&written("decisions", &decision.id.to_string(), &decision));
    assert_eq!(entry.organization, ORGANIZATION);
    assert_eq!(entry.actor.unwrap().kind, ActorKind::SystemAccount);
}

#[test]
fn another_systems_json_is_read_too() {
    let event = EntityEvent {
        kind: EntityEventKind::Created,
        organization: ORGANIZATION,
        entity_type: "control_planes".to_owned(),
        entity_id: "cp-1".to_owned(),
        parent_type: None,
        parent_id: None,
        occurred_at: Timestamp(5),
    };
    let mut record = written("entity-events", &ORGANIZATION.to_string(), &event);
    record.headers.retain(|(name, _)| name != "content-type");
    record.headers.push(("content-type".to_owned(), b"application/json".to_vec()));
    record.value = Some(serde_json::to_vec(&event).unwrap());
    let entry = kept(&record);
    assert_eq!(entry.defect, None);
    assert_eq!(entry.occurred_at, Timestamp(5));
    assert_eq!(entry.actor.unwrap().kind, ActorKind::PlatformProducer);
}

#[test]
fn what_cannot_be_read_is_kept_raw_with_the_reason() {
    let mut record = written("entity-events", &ORGANIZATION.to_string(), &identity_event(ORGANIZATION));
    record.value = Some(b"\0\xff not Avro".to_vec());
    let entry = kept(&record);
    assert_eq!(entry.defect.as_deref(), Some("not Avro single-object encoded"));
    assert_eq!(entry.payload, record.value);

    record.headers.clear();
    let entry = kept(&record);
    assert_eq!(entry.defect.as_deref(), Some("header ce_specversion is missing"));
    assert_eq!(entry.organization, ORGANIZATION);
    assert_eq!(entry.id, "3:42");
    assert_eq!(entry.occurred_at, record.timestamp);

    record.value = None;
    record.key = Some(b"not an id".to_vec());
    assert_eq!(kept(&record).organization, PLATFORM_ORGANIZATION);
}

#[test]
fn a_mirrored_record_without_envelope_is_known_by_its_content() {
    let mut record = written("us.identity-commands-hr", "x", &identity_event(ORGANIZATION));
    record.headers.clear();
    let first = kept(&record);
    record.offset += 1;
    assert_eq!(kept(&record), first);
    record.key = Some(b"y".to_vec());
    assert_ne!(kept(&record).id, first.id);
}

#[test]
fn beats_are_not_kept() {
    let watermark = Watermark { partition: 1, seq: 2, closed_at: Timestamp(3) };
    let record = written("identity-events", "1", &watermark);
    assert_eq!(Entry::of(&record, "us", &SchemaRegistry::default()), None);
    let elsewhere = written("entity-events", "1", &watermark);
    assert!(Entry::of(&elsewhere, "us", &SchemaRegistry::default()).is_some());
}
