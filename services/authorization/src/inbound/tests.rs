use writ_contract::entity_event::EntityEventKind;
use writ_contract::{Revision, Timestamp};
use writ_policy::Refusal;

use super::*;
use crate::directory::Listed;
use crate::testing::{ENTITY_EVENTS, PRODUCER, entity, organization, record, scopes, set_header};

fn event() -> EntityEvent {
    entity(organization(1), EntityEventKind::Created, "cp-1", None)
}

fn announced(event: &EntityEvent) -> ConsumedRecord {
    record(ENTITY_EVENTS, event.organization, "event-1", event)
}

fn good() -> ConsumedRecord {
    announced(&event())
}

fn read_as(record: &ConsumedRecord, scopes: &ProducerScopes) -> Result<Announcement, Unacceptable> {
    let directory = Directory::default();
    for number in [1, 2] {
        directory.take_up(organization(number), Listed { revision: Revision::first_epoch(1), deleted: false });
    }
    let inbound = Inbound { scopes, directory: &directory, registry: &SchemaRegistry::default() };
    read(record, &PRODUCER.parse().unwrap(), inbound)
}

fn read_all(record: &ConsumedRecord) -> Result<Announcement, Unacceptable> {
    read_as(record, &scopes("\"all\"", "\"all\""))
}

fn json_record(value: &str) -> ConsumedRecord {
    let mut record = good();
    set_header(&mut record, "content-type", Some("application/json; charset=utf-8"));
    record.value = Some(value.as_bytes().to_vec());
    record
}

fn code(record: &ConsumedRecord) -> String {
    let error = read_all(record).unwrap_err();
    assert!(error.to_string().starts_with(error.code()), "{error}");
    assert!(Unacceptable::CODES.contains(&error.code()), "{error}");
    error.code().to_owned()
}

#[test]
fn avro_and_json_of_the_same_shape_are_the_same_event() {
    let avro = read_all(&good()).unwrap();
    let text = format!(
        r#"{{"kind":"created","organization":"{}","entity_type":"control_planes","entity_id":"cp-1",
            "occurred_at":"1970-01-01T00:00:00.000001Z","color":"unknown fields are ignored"}}"#,
        organization(1)
    );
    let json = read_all(&json_record(&text)).unwrap();
    assert_eq!((json.change, json.content), (avro.change.clone(), avro.content));
    assert_eq!((avro.cause().source.as_str(), avro.cause().id.as_str()), (PRODUCER, "event-1"));
}

#[test]
fn every_required_header_is_missed() {
    for header in ["ce_specversion", "ce_type", "ce_source", "ce_id", "content-type"] {
        let mut record = good();
        set_header(&mut record, header, None);
        let error = read_all(&record).unwrap_err();
        assert_eq!(error.to_string(), format!("missing_header: {header}"));
    }
    let mut record = good();
    set_header(&mut record, "ce_time", None);
    assert!(read_all(&record).is_ok(), "ce_time is optional");
}

#[test]
fn headers_that_are_invalid() {
    let long = "x".repeat(257);
    for (header, value) in [
        ("ce_specversion", "0.3"),
        ("ce_type", "writ.IdentityEvent"),
        ("ce_id", ""),
        ("ce_id", "a\0b"),
        ("ce_source", long.as_str()),
    ] {
        let mut record = good();
        set_header(&mut record, header, Some(value));
        assert_eq!(code(&record), "invalid_header", "{header}: {value}");
    }
    for content_type in ["text/plain", "application/cloudevents+json", "application/jsonp"] {
        let mut record = good();
        set_header(&mut record, "content-type", Some(content_type));
        assert_eq!(code(&record), "unsupported_content_type", "{content_type}");
    }
}

#[test]
fn values_that_are_not_an_event() {
    let mut unknown_schema = good();
    unknown_schema.value.as_mut().unwrap()[5] ^= 0xff;
    assert_eq!(code(&unknown_schema), "unknown_schema");

    let mut cut = good();
    cut.value.as_mut().unwrap().pop();
    let mut longer = good();
    longer.value.as_mut().unwrap().push(0);
    let mut tombstone = good();
    tombstone.value = None;
    let mut text = good();
    text.value = Some(b"hello".to_vec());
    for record in [cut, longer, tombstone, text] {
        assert_eq!(code(&record), "not_decodable");
    }
    for text in ["", "{", "[]", "null", "{}", r#"{"kind":"created"}"#] {
        assert_eq!(code(&json_record(text)), "not_decodable", "{text}");
    }
    let list = format!(r#"["created","{}","control_planes","cp",null,null,1]"#, organization(1));
    assert_eq!(code(&json_record(&list)), "not_decodable", "values in order are not an object");
}

#[test]
fn more_than_64_kib_is_too_large() {
    let mut record = json_record("{}");
    record.value = Some(vec![b' '; MAX_VALUE + 1]);
    assert_eq!(code(&record), "too_large");
    record.value = Some(vec![b' '; MAX_VALUE]);
    assert_eq!(code(&record), "not_decodable");
}

#[test]
fn the_key_is_the_organization() {
    for key in [None, Some(organization(2).to_string()), Some("acme".to_owned())] {
        let mut record = good();
        record.key = key.clone().map(String::into_bytes);
        assert_eq!(code(&record), "key_mismatch", "{key:?}");
    }
}

#[test]
fn the_partition_is_that_of_the_key_in_lower_case() {
    let mut elsewhere = good();
    let right = elsewhere.partition;
    elsewhere.partition = (right + 1) % 6;
    assert_eq!(read_all(&elsewhere).unwrap_err(), Unacceptable::Partition(right));
    assert_eq!(code(&elsewhere), "wrong_partition");
    let mut upper = good();
    upper.key = Some(organization(1).to_string().to_uppercase().into_bytes());
    assert_eq!(read_all(&upper).unwrap().organization, organization(1));
}

#[test]
fn an_organization_that_does_not_exist_is_unknown() {
    let record = announced(&entity(organization(9), EntityEventKind::Created, "cp-1", None));
    assert_eq!(code(&record), "unknown_organization");
}

#[test]
fn informative_fields_cost_no_event() {
    let mut record = good();
    for value in ["yesterday", "", "2026-13-01T00:00:00Z"] {
        set_header(&mut record, "ce_time", Some(value));
        let read = read_all(&record).unwrap();
        assert_eq!((read.change.is_ok(), read.envelope.time), (true, record.timestamp), "{value}");
    }
    for occurred_at in ["", r#","occurred_at":"yesterday""#, r#","occurred_at":null"#, r#","occurred_at":[1]"#] {
        let text = format!(
            r#"{{"kind":"created","organization":"{}","entity_type":"control_planes","entity_id":"cp-1"{occurred_at}}}"#,
            organization(1)
        );
        assert_eq!(read_all(&json_record(&text)).unwrap().content, read_all(&good()).unwrap().content, "{text}");
    }
}

#[test]
fn a_member_that_occurs_twice_is_not_decoded() {
    let (one, other) = (organization(1), organization(2));
    let text = format!(
        r#"{{"kind":"created","organization":"{other}","organization":"{one}","entity_type":"control_planes",
            "entity_id":"cp-1","occurred_at":1}}"#
    );
    let error = read_all(&json_record(&text)).unwrap_err();
    assert_eq!(error.to_string(), "not_decodable: organization occurs more than once");
}

#[test]
fn a_producer_speaks_for_its_organizations_and_types_alone() {
    let all = "\"all\"";
    let only = |one: String| format!("[\"{one}\"]");
    let (its, other) = (only(organization(1).to_string()), only(organization(2).to_string()));
    let error = |scopes| read_as(&good(), &scopes).unwrap_err();
    assert_eq!(error(ProducerScopes::default()), Unacceptable::NotConfigured);
    assert_eq!(error(scopes(&other, all)), Unacceptable::OrganizationNotAllowed);
    let change = |types: &str| read_as(&good(), &scopes(&its, &only(types.to_owned()))).unwrap().change;
    assert_eq!(change("routes"), Err(EventRefusal::EntityTypeNotAllowed));
    assert!(change("control_planes").is_ok());
    let unknown = announced(&EntityEvent { entity_type: "control_plane".into(), ..event() });
    assert_eq!(read_all(&unknown).unwrap().change.unwrap_err().as_str(), "invalid_entity_type");
    let gone = EntityEvent { kind: EntityEventKind::Deleted, entity_type: "control_plane".into(), ..event() };
    assert!(read_all(&announced(&gone)).unwrap().change.is_ok(), "an earlier catalogue may have had it");
    let invalid = announced(&EntityEvent { entity_type: "Control".into(), ..event() });
    assert_eq!(read_all(&invalid).unwrap().change, Err(EventRefusal::Entity(Refusal::InvalidEntityType)));
}

#[test]
fn the_content_is_all_that_the_event_says_of_the_entity() {
    let content = |event: &EntityEvent| read_all(&announced(event)).unwrap().content;
    let later = EntityEvent { occurred_at: Timestamp(2), ..event() };
    assert_eq!(content(&later), content(&event()), "when it occurred is informative");
    let others = [
        EntityEvent { kind: EntityEventKind::Deleted, ..event() },
        EntityEvent { entity_type: "control_planesc".into(), entity_id: "p-1".into(), ..event() },
        EntityEvent { entity_id: "cp-2".into(), ..event() },
        EntityEvent { parent_type: Some("a".into()), ..event() },
        EntityEvent { parent_id: Some("a".into()), ..event() },
        EntityEvent { parent_id: Some(String::new()), ..event() },
    ];
    for other in others {
        assert_ne!(content(&other), content(&event()), "{other:?}");
    }
}
