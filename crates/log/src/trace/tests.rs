use std::sync::{LazyLock, Mutex};

use opentelemetry::trace::{SpanId, Status, TraceId, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanProcessor};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;
use writ_contract::Timestamp;
use writ_contract::schema::SchemaEntry;

use super::*;
use crate::{ConsumedRecord, Envelope, Outgoing};

static ENDED: Mutex<Vec<SpanData>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Keep;

impl SpanProcessor for Keep {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        ENDED.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: std::time::Duration) -> OTelSdkResult {
        Ok(())
    }
}

static PROVIDER: LazyLock<SdkTracerProvider> = LazyLock::new(|| {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).with_span_processor(Keep).build();
    opentelemetry::global::set_tracer_provider(provider.clone());
    provider
});

/// Spans of this test's thread are kept.
fn traced() -> DefaultGuard {
    let layer = tracing_opentelemetry::layer().with_tracer(PROVIDER.tracer("test"));
    tracing::subscriber::set_default(tracing_subscriber::registry().with(layer))
}

fn parent_of(trace: u128) -> String {
    format!("00-{trace:032x}-b7ad6b7169203331-01")
}

fn span(trace: u128, name: &str) -> SpanData {
    let ended = ENDED.lock().unwrap();
    let found = ended
        .iter()
        .find(|span| span.name == name && span.span_context.trace_id() == TraceId::from_bytes(trace.to_be_bytes()));
    found.unwrap_or_else(|| panic!("no span {name}")).clone()
}

fn outgoing(trace: u128) -> Outgoing {
    let mut outgoing = Outgoing::keyed("policy-changes", "k", "/us/x", &SchemaEntry::of::<SchemaEntry>()).unwrap();
    headers::set(&mut outgoing.headers, "traceparent", &parent_of(trace));
    outgoing
}

fn received(topic: &str, headers: Headers, appended: Timestamp) -> ConsumedRecord {
    ConsumedRecord {
        topic: topic.to_owned(),
        partition: 3,
        offset: 7,
        timestamp: appended,
        key: None,
        headers,
        value: Some(b"value".to_vec()),
    }
}

fn micros(time: std::time::SystemTime) -> i64 {
    i64::try_from(time.duration_since(std::time::UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

#[test]
fn the_wait_in_the_outbox_is_a_span_between_the_writer_and_the_sender() {
    let _traced = traced();
    let mut row = outgoing(1);
    headers::set(&mut row.headers, "ce_time", "2026-01-02T03:04:05.000006Z");
    row.waited();
    drop(SendSpan::begin(&row.topic, &row.headers));
    let (outbox, send) = (span(1, "outbox policy-changes"), span(1, "send policy-changes"));
    assert_eq!(outbox.parent_span_id, SpanId::from_hex("b7ad6b7169203331").unwrap());
    assert_eq!(send.parent_span_id, outbox.span_context.span_id());
    assert_eq!(micros(outbox.start_time), 1_767_323_045_000_006);
    assert!(outbox.end_time > outbox.start_time);
}

#[test]
fn a_record_outside_any_trace_waits_unseen() {
    let _traced = traced();
    let mut row = outgoing(2);
    row.headers.retain(|(name, _)| !name.contains("trace"));
    let before = row.clone();
    row.waited();
    assert_eq!(row, before);
}

#[test]
fn a_mirrored_record_shows_its_way_from_the_senders_clock_to_the_broker_here() {
    let _traced = traced();
    let mut sent = outgoing(3);
    headers::set(&mut sent.headers, "ce_time", "2026-01-02T03:04:05.000006Z");
    let appended = Timestamp(1_767_323_045_009_000);
    drop(received("us.policy-changes", sent.headers, appended).span());
    let (mirror, process) = (span(3, "mirror us.policy-changes"), span(3, "process us.policy-changes"));
    assert_eq!(mirror.parent_span_id, SpanId::from_hex("b7ad6b7169203331").unwrap());
    assert_eq!(process.parent_span_id, mirror.span_context.span_id());
    assert_eq!((micros(mirror.start_time), micros(mirror.end_time)), (1_767_323_045_000_006, appended.0));
    let origin = mirror.attributes.iter().find(|attribute| attribute.key.as_str() == "writ.origin").unwrap();
    assert_eq!(origin.value.as_str(), "us");
}

#[test]
fn a_mirror_hop_never_ends_before_it_begins() {
    let _traced = traced();
    let sent = outgoing(4);
    drop(received("us.policy-changes", sent.headers, Timestamp(5)).span());
    let mirror = span(4, "mirror us.policy-changes");
    assert_eq!(mirror.start_time, mirror.end_time);
}

#[test]
fn a_local_record_has_no_mirror_hop() {
    let _traced = traced();
    drop(received("policy-changes", outgoing(5).headers, Timestamp(5)).span());
    let process = span(5, "process policy-changes");
    assert_eq!(process.parent_span_id, SpanId::from_hex("b7ad6b7169203331").unwrap());
}

#[test]
fn the_hop_before_comes_first_then_the_origin_and_what_is_malformed_counts_for_nothing() {
    let _traced = traced();
    let trace_of = |pairs: &[(&str, &str)]| {
        let headers = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let span = received("entity-events-gateways", headers, Timestamp(5)).span();
        opentelemetry::trace::TraceContextExt::span(&span.context()).span_context().trace_id()
    };
    let id = |trace: u128| TraceId::from_bytes(trace.to_be_bytes());
    let (hop, origin) = (parent_of(6), parent_of(7));
    assert_eq!(trace_of(&[("traceparent", &hop), ("ce_traceparent", &origin)]), id(6));
    assert_eq!(trace_of(&[("traceparent", "mine"), ("ce_traceparent", &origin)]), id(7));
    assert_eq!(trace_of(&[("ce_traceparent", &origin)]), id(7));
    let fresh = trace_of(&[("traceparent", "00-zz-01"), ("ce_traceparent", "")]);
    assert!(fresh != TraceId::INVALID && fresh != id(6) && fresh != id(7));
}

#[test]
fn each_record_of_a_batch_shows_the_transaction_and_its_failure() {
    let _traced = traced();
    let records = [8, 9].map(|trace| received("policy-changes", outgoing(trace).headers, Timestamp(5)).span());
    // As `plan` does.
    records[0].in_scope(|| ());
    let transactions = transaction_spans(&records);
    fail(&transactions[1], "database");
    drop(transactions);
    end(&records);
    drop(records);
    let (committed, failed) = (span(8, "transaction"), span(9, "transaction"));
    assert!(committed.end_time <= span(8, "process policy-changes").end_time, "the transaction is within");
    assert_eq!(committed.parent_span_id, span(8, "process policy-changes").span_context.span_id());
    assert_eq!((committed.status, failed.status), (Status::Unset, Status::error("")));
}

#[test]
fn an_id_that_is_no_id_is_not_named() {
    let named = |id: &[u8]| message_id(&[("ce_id".to_owned(), id.to_vec())]).map(str::to_owned);
    assert_eq!(named(b"0197-a.b:c_d").as_deref(), Some("0197-a.b:c_d"));
    for other in [&b"ada@engines.example"[..], b"Ada Lovelace", &[b'x'; 129], b"\xff"] {
        assert_eq!(named(other), None);
    }
}

/// As [`outgoing`], in a trace that is not sampled.
fn unsampled(trace: u128) -> Outgoing {
    let mut outgoing = outgoing(trace);
    headers::set(&mut outgoing.headers, "traceparent", &parent_of(trace).replace("-01", "-00"));
    outgoing
}

fn has_span(trace: u128) -> bool {
    let trace = TraceId::from_bytes(trace.to_be_bytes());
    ENDED.lock().unwrap().iter().any(|span| span.span_context.trace_id() == trace)
}

#[test]
fn a_send_that_nobody_follows_is_a_span_only_if_it_fails() {
    let _traced = traced();
    let refused = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
    for (number, outcome) in [(10, Ok(())), (11, Err(refused))] {
        let mut outgoing = unsampled(number);
        let before = outgoing.clone();
        let send = SendSpan::begin(&outgoing.topic, &outgoing.headers);
        send.hand_on(&mut outgoing.headers);
        assert_eq!(outgoing, before, "the hop before stays what it names");
        match outcome {
            Ok(()) => send.delivered(0, 0),
            Err(error) => send.failed(&outgoing.topic, &error),
        }
    }
    assert!(!has_span(10));
    let failed = span(11, "send policy-changes");
    assert_eq!(failed.status, Status::error(""));
    assert_eq!(failed.parent_span_id, SpanId::from_hex("b7ad6b7169203331").unwrap());
    let kind = failed.attributes.iter().find(|attribute| attribute.key.as_str() == "error.type").unwrap();
    assert_eq!(kind.value.as_str(), "MessageSizeTooLarge");
}

#[test]
fn a_batch_that_nobody_follows_shows_only_its_failure() {
    let _traced = traced();
    let record = |number| received("decisions", unsampled(number).headers, Timestamp(5));
    let spans = [record(12).span_if_sampled(), record(13).span_if_sampled()];
    let transactions = transaction_spans(&spans);
    assert!(transactions.is_empty());
    let before = ENDED.lock().unwrap().len();
    fail_transaction(&transactions);
    let ended = ENDED.lock().unwrap();
    let of_its_own = |span: &&SpanData| span.name == "transaction" && span.parent_span_id == SpanId::INVALID;
    let failed = ended[before..].iter().find(of_its_own).expect("a trace of its own");
    assert_eq!(failed.status, Status::error(""));
    drop(ended);
    assert!(!has_span(12) && !has_span(13));
}

#[test]
fn who_hands_on_continues_even_a_trace_that_nobody_follows() {
    let _traced = traced();
    drop(received("policy-changes", unsampled(14).headers, Timestamp(5)).span());
    assert!(has_span(14));
}

#[test]
fn a_record_names_the_trace_it_is_made_in_if_there_is_one() {
    let _traced = traced();
    let made = || Envelope::new::<SchemaEntry>("/us/x");
    let followed = received("policy-changes", outgoing(16).headers, Timestamp(5)).span().in_scope(made);
    assert!(followed.traceparent.is_some_and(|parent| parent.contains(&format!("{:032x}", 16))));
    assert_eq!((made().traceparent, made().ce_traceparent), (None, None));
}
