use uuid::Uuid;
use writ_contract::actor::ActorKind;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::identity_event::IdentityEvent;
use writ_contract::{PrincipalId, Revision, decode};

use super::*;
use crate::hash_chain::record_key;

/// A made-up organization whose home is `us`.
pub(crate) fn organization(number: u32) -> OrganizationId {
    OrganizationId::from_parts("us".parse().unwrap(), 0, number)
}

/// A made-up entry of an organization.
pub(crate) fn entry(number: u32, id: &str) -> Entry {
    Entry {
        organization: organization(number),
        origin: "us".parse().unwrap(),
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
        record_hash: Hash::of(&[b"payload"]),
    }
}

/// A record as Writ writes it, with trace headers.
pub(crate) fn written<R: writ_contract::Record>(
    topic: &str,
    key: Option<OrganizationId>,
    record: &R,
) -> ConsumedRecord {
    let mut envelope = Envelope::new::<R>("/us/identity");
    envelope.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let key = key.map(|organization| organization.to_string().into_bytes());
    ConsumedRecord {
        topic: topic.to_owned(),
        partition: 3,
        offset: 42,
        timestamp: Timestamp(1_760_000_000_000_000),
        headers: envelope.to_headers(key.as_deref()),
        key,
        value: Some(encode(record).unwrap()),
    }
}

pub(crate) fn identity_event(organization: OrganizationId) -> IdentityEvent {
    IdentityEvent {
        organization,
        revision: Revision::first_epoch(1),
        previous_digest: Hash::ZERO,
        digest: Hash::of(&[&Hash::ZERO.0]),
        committed_at: Timestamp(1_759_999_999_000_000),
        actor: Actor { kind: ActorKind::User, id: "u-1".parse().unwrap() },
        cause: None,
        request_id: None,
        features: 0,
        payload: vec![],
    }
}

/// A batch of decisions, each of an organization of its own.
pub(crate) fn batch_of(decisions: u32) -> DecisionBatch {
    let decision = |number: u32| DecisionRecord {
        id: Uuid::from_u128(number.into()),
        organization: organization(number),
        at: Timestamp(number.into()),
        requester: Actor { kind: ActorKind::SystemAccount, id: StoredText::lossy(&format!("s-{number}")) },
        subject: PrincipalId::from_uuid(Uuid::from_u128(5)),
        action: "view".parse().unwrap(),
        resource_type: "control_planes".parse().unwrap(),
        resource_id: "cp-1".parse().unwrap(),
        decision: true,
        reason: "granted".parse().unwrap(),
        heads: vec![],
        age_ms: 0,
        trace_id: None,
        sample_rate: 1.0,
    };
    let decisions = (1..=decisions).map(decision).collect();
    DecisionBatch { region: "eu".parse().unwrap(), first_at: Timestamp(1), decisions }
}

fn entries(record: &ConsumedRecord) -> Vec<Entry> {
    Entry::of(record, "eu".parse().unwrap(), &SchemaRegistry::default())
}

fn kept(record: &ConsumedRecord) -> Entry {
    let mut entries = entries(record);
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

#[test]
fn an_event_says_who_and_when() {
    let record = written("us.identity-events", Some(organization(7)), &identity_event(organization(7)));
    let entry = kept(&record);
    assert_eq!((entry.origin.as_str(), entry.topic.as_str()), ("us", "identity-events"));
    assert_eq!(entry.organization, organization(7));
    assert_eq!(entry.actor.unwrap().id, "u-1");
    assert_eq!(entry.occurred_at, Timestamp(1_759_999_999_000_000));
    assert_eq!(entry.defect, None);
    assert_eq!(entry.payload, record.value);
    assert!(entry.headers.iter().any(|(name, _)| name == "ce_id"));
    assert!(!entry.headers.iter().any(|(name, _)| name.contains("trace")));
}

#[test]
fn a_copy_with_another_offset_and_trace_has_the_same_key() {
    let mut record = written("us.policy-changes", Some(organization(7)), &identity_event(organization(7)));
    let first = kept(&record);
    record.offset += 10;
    record.headers.retain(|(name, _)| name != "traceparent");
    assert_eq!(kept(&record), first);
}

#[test]
fn each_decision_of_a_batch_is_an_entry_of_its_organization() {
    let batch = batch_of(3);
    let record = written("decisions", None, &batch);
    let entries = entries(&record);
    for (entry, decision) in entries.iter().zip(&batch.decisions) {
        assert_eq!((entry.organization, entry.occurred_at), (decision.organization, decision.at));
        assert_eq!((entry.id.as_str(), entry.defect.as_ref()), (decision.id.to_string().as_str(), None));
        assert_eq!(entry.actor.as_ref(), Some(&decision.requester));
        let payload = entry.payload.as_deref().unwrap();
        assert_eq!(entry.payload_hash, Hash::of(&[payload]));
        let alone: DecisionBatch = decode(payload, &SchemaRegistry::default()).unwrap();
        assert_eq!((alone.region, &alone.decisions[..]), (batch.region, std::slice::from_ref(decision)));
    }
    assert_eq!(entries.len(), 3);
}

/// A later build may encode a decision differently, and still knows it again.
#[test]
fn a_decision_is_recognized_by_its_batch_and_id() {
    let record = written("decisions", None, &batch_of(2));
    let entries = entries(&record);
    let mut later_build = entries[0].clone();
    later_build.payload = Some(b"other bytes".to_vec());
    later_build.payload_hash = Hash::of(&[b"other bytes"]);
    assert_eq!(record_key(&later_build), record_key(&entries[0]));
    assert_ne!(record_key(&entries[1]), record_key(&entries[0]));
}

#[test]
fn a_batch_that_cannot_be_read_is_kept_whole() {
    let mut record = written("decisions", None, &batch_of(2));
    record.value.as_mut().unwrap().truncate(40);
    let entry = kept(&record);
    assert_eq!((entry.organization, &entry.payload), (PLATFORM_ORGANIZATION, &record.value));
    assert!(entry.defect.is_some());
}

#[test]
fn another_systems_json_is_read_too() {
    let event = EntityEvent {
        kind: EntityEventKind::Created,
        organization: organization(7),
        entity_type: "control_planes".to_owned(),
        entity_id: "cp-1".to_owned(),
        parent_type: None,
        parent_id: None,
        occurred_at: Timestamp(5),
    };
    let mut record = written("entity-events-gateways", Some(organization(7)), &event);
    record.headers.retain(|(name, _)| name != "content-type");
    record.headers.push(("content-type".to_owned(), b"application/json".to_vec()));
    record.value = Some(serde_json::to_vec(&event).unwrap());
    let entry = kept(&record);
    assert_eq!(entry.defect, None);
    assert_eq!(entry.occurred_at, Timestamp(5));
    assert_eq!(entry.actor, Some(Actor { kind: ActorKind::PlatformProducer, id: "gateways".parse().unwrap() }));
}

#[test]
fn what_cannot_be_read_is_kept_raw_with_the_reason() {
    let mut record = written("entity-events-gateways", Some(organization(7)), &identity_event(organization(7)));
    record.value = Some(b"\0\xff not Avro".to_vec());
    let entry = kept(&record);
    assert_eq!(entry.defect.as_ref().map(Defect::as_str), Some("not Avro single-object encoded"));
    assert_eq!(entry.payload, record.value);

    record.headers.clear();
    let entry = kept(&record);
    assert_eq!(entry.defect.as_ref().map(Defect::as_str), Some("header ce_specversion is missing"));
    assert_eq!(entry.organization, organization(7));
    assert_eq!(entry.id, "3:42");
    assert_eq!(entry.occurred_at, record.timestamp);

    record.value = None;
    record.key = Some(b"not an id".to_vec());
    assert_eq!(kept(&record).organization, PLATFORM_ORGANIZATION);
}

#[test]
fn a_mirrored_record_without_envelope_is_known_by_its_content() {
    let mut record = written("us.identity-commands-hr", None, &identity_event(organization(7)));
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
    let record = written("identity-events", None, &watermark);
    assert_eq!(entries(&record), []);
    let elsewhere = written("entity-events-gateways", None, &watermark);
    assert_eq!(entries(&elsewhere).len(), 1);
}
