use uuid::Uuid;
use writ_contract::entity_event::EntityEventKind;
use writ_kafka::topics;

use super::*;
use crate::testing::{entity, organization, record, set_header};

fn good() -> Record {
    let event = entity(organization(1), EntityEventKind::Created, "cp-1", None);
    record(topics::ENTITY_EVENTS, organization(1), "event-1", &event)
}

fn json_record(value: &str) -> Record {
    let mut record = good();
    set_header(&mut record, "content-type", Some("application/json; charset=utf-8"));
    record.value = Some(value.as_bytes().to_vec());
    record
}

fn code(record: &Record) -> String {
    let error = read(record, &SchemaRegistry::default()).unwrap_err();
    assert!(error.to_string().starts_with(error.code()), "{error}");
    assert!(Unreadable::CODES.contains(&error.code()), "{error}");
    error.code().to_owned()
}

#[test]
fn avro_and_json_of_the_same_shape_are_the_same_event() {
    let avro = read(&good(), &SchemaRegistry::default()).unwrap();
    let text = format!(
        r#"{{"kind":"created","organization":"{}","entity_type":"control_planes","entity_id":"cp-1",
            "occurred_at":"1970-01-01T00:00:00.000001Z","color":"unknown fields are ignored"}}"#,
        organization(1)
    );
    let json = read(&json_record(&text), &SchemaRegistry::default()).unwrap();
    assert_eq!(json.event, avro.event);
    assert_eq!((avro.cause.source.as_str(), avro.cause.id.as_str()), ("urn:test", "event-1"));
}

#[test]
fn every_required_header_is_missed() {
    for header in ["ce_specversion", "ce_type", "ce_source", "ce_id", "content-type"] {
        let mut record = good();
        set_header(&mut record, header, None);
        let error = read(&record, &SchemaRegistry::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("missing_header: {header}"));
    }
    let mut record = good();
    set_header(&mut record, "ce_time", None);
    assert!(read(&record, &SchemaRegistry::default()).is_ok(), "ce_time is optional");
}

#[test]
fn headers_that_cannot_be_taken() {
    let long = "x".repeat(257);
    for (header, value) in [
        ("ce_specversion", "0.3"),
        ("ce_type", "writ.IdentityEvent"),
        ("ce_id", ""),
        ("ce_id", "a\0b"),
        ("ce_source", long.as_str()),
        ("ce_time", "yesterday"),
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
fn values_that_are_no_event() {
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
    assert_eq!(code(&json_record(&list)), "not_decodable", "values in order are no object");
}

#[test]
fn more_than_64_kib_is_too_large() {
    let mut record = json_record("{}");
    record.value = Some(vec![b' '; LARGEST + 1]);
    assert_eq!(code(&record), "too_large");
    record.value = Some(vec![b' '; LARGEST]);
    assert_eq!(code(&record), "not_decodable");
}

#[test]
fn the_key_is_the_organization() {
    let upper = organization(1).to_string().to_uppercase();
    for key in [None, Some(Uuid::from_u128(9).to_string()), Some("acme".to_owned()), Some(upper)] {
        let mut record = good();
        record.key = key.clone().map(String::into_bytes);
        assert_eq!(code(&record), "key_mismatch", "{key:?}");
    }
}
