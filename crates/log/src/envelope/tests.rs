use proptest::prelude::*;
use writ_contract::schema::SchemaEntry;

use super::*;

const APPENDED: Timestamp = Timestamp(1_760_000_000_000_000);

fn external() -> Headers {
    [
        ("ce_specversion", "1.0"),
        ("ce_type", "writ.EntityEvent"),
        ("ce_source", "/platform/control-planes"),
        ("ce_id", "42"),
        ("content-type", "application/json"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .to_vec()
}

fn with(name: &str, value: &[u8]) -> Result<Envelope, EnvelopeError> {
    let mut headers = external();
    headers.push((name.to_owned(), value.to_vec()));
    Envelope::from_headers(&headers, APPENDED)
}

fn without(name: &str) -> Result<Envelope, EnvelopeError> {
    let headers: Headers = external().into_iter().filter(|(have, _)| have != name).collect();
    Envelope::from_headers(&headers, APPENDED)
}

#[test]
fn our_own_headers_are_read_back() {
    let mut envelope = Envelope::new::<SchemaEntry>("/us/identity");
    envelope.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    envelope.ce_tracestate = Some("vendor=1".to_owned());
    let headers = envelope.to_headers(Some(b"key"));
    assert_eq!(headers::last(&headers, "ce_partitionkey"), Some(&b"key"[..]));
    assert_eq!(Envelope::from_headers(&headers, APPENDED), Ok(envelope));
}

#[test]
fn a_missing_header_is_named() {
    for header in ["ce_specversion", "ce_type", "ce_source", "ce_id", "content-type"] {
        assert_eq!(without(header), Err(EnvelopeError::Missing { header }));
    }
    assert_eq!(without("ce_id").unwrap_err().to_string(), "header ce_id is missing");
}

#[test]
fn an_invalid_header_is_named_but_not_quoted() {
    let too_long = "x".repeat(257);
    for (header, value) in [
        ("ce_id", &b"a\0b"[..]),
        ("ce_id", b""),
        ("ce_id", b"\xff"),
        ("ce_source", too_long.as_bytes()),
        ("ce_type", b"line\nbreak"),
        ("ce_specversion", b"0.3"),
    ] {
        let error = with(header, value).unwrap_err();
        assert!(matches!(error, EnvelopeError::Invalid { header: named, .. } if named == header), "{error}");
    }
}

#[test]
fn the_brokers_time_stands_in_for_one_that_is_missing_or_none() {
    assert_eq!(without("ce_time").unwrap().time, APPENDED);
    assert_eq!(with("ce_time", b"yesterday").unwrap().time, APPENDED);
    assert_eq!(with("ce_time", b"\xff").unwrap().time, APPENDED);
    let told = with("ce_time", b"2026-01-02T03:04:05.000006Z").unwrap().time;
    assert_eq!(told.to_string(), "2026-01-02T03:04:05.000006Z");
}

#[test]
fn a_broken_trace_is_not_a_reason_to_refuse() {
    assert_eq!(with("traceparent", b"\0").unwrap().traceparent, None);
    assert_eq!(with("tracestate", &[b'x'; 513]).unwrap().tracestate, None);
    for malformed in [
        "00-ab",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        let envelope = with("ce_traceparent", malformed.as_bytes()).unwrap();
        assert_eq!(envelope.ce_traceparent, None, "{malformed}");
    }
    let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more";
    assert_eq!(with("traceparent", later.as_bytes()).unwrap().traceparent.as_deref(), Some(later));
    assert_eq!(with("tracestate", b"not a state").unwrap().tracestate, None);
}

proptest! {
    #[test]
    fn what_is_taken_any_store_takes(name in "ce_(id|source|type|time)|traceparent|content-type", value: Vec<u8>) {
        if let Ok(envelope) = with(&name, &value) {
            let texts = [envelope.id, envelope.ce_type, envelope.source, envelope.content_type,
                         envelope.traceparent.unwrap_or_default()];
            prop_assert!(texts.iter().all(|text| text.len() <= 256 && !text.contains('\0')));
        }
    }
}
