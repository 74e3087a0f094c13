use opentelemetry::trace::TraceContextExt;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;
use writ_contract::schema::SchemaEntry;

use super::*;
use crate::Outgoing;

const ORGANIZATION: &str = "0197c1f6-6a2b-7c3d-8e4f-5a6b7c8d9e0f";

fn record(topic: &str, key: &[u8]) -> ConsumedRecord {
    ConsumedRecord {
        topic: topic.to_owned(),
        partition: 0,
        offset: 7,
        timestamp: Timestamp(1),
        key: Some(key.to_vec()),
        headers: Headers::new(),
        value: Some(b"value".to_vec()),
    }
}

fn received(sent: &Outgoing) -> ConsumedRecord {
    ConsumedRecord { headers: sent.headers.clone(), ..record("us.policy-changes", ORGANIZATION.as_bytes()) }
}

#[test]
fn the_prefix_of_the_topic_is_the_origin() {
    let mirrored = record("us.policy-changes", b"");
    let (eu, us) = ("eu".parse().unwrap(), "us".parse().unwrap());
    assert_eq!((mirrored.origin(eu), mirrored.base_topic()), (us, "policy-changes"));
    let local = record("policy-changes", b"");
    assert_eq!((local.origin(eu), local.base_topic()), (eu, "policy-changes"));
}

#[test]
fn only_the_one_spelling_is_an_organization() {
    let id: Uuid = ORGANIZATION.parse().unwrap();
    assert_eq!(record("t", ORGANIZATION.as_bytes()).organization(), Some(OrganizationId::from_uuid(id)));
    for bad in
        [ORGANIZATION.to_uppercase(), id.simple().to_string(), id.urn().to_string(), format!("{{{ORGANIZATION}}}")]
    {
        assert_eq!(record("t", bad.as_bytes()).organization(), None, "{bad}");
    }
    assert_eq!(record("t", &[0xff; 36]).organization(), None);
    assert_eq!(ConsumedRecord { key: None, ..record("t", b"") }.organization(), None);
}

#[test]
fn a_record_without_an_id_is_told_by_its_value() {
    let one = record("t", b"");
    let other = ConsumedRecord { value: Some(b"other".to_vec()), ..one.clone() };
    assert_eq!(one.anchor(), one.clone().anchor());
    assert_ne!(one.anchor(), other.anchor());
    let entry = SchemaEntry::of::<SchemaEntry>();
    let sent = Outgoing::keyed("t", "k", "/us/identity", &entry).unwrap();
    assert_eq!(Some(received(&sent).anchor().as_str()), sent.id());
}

/// One trace from the span that wrote a record to the one that processes it, and through what that
/// one writes; the trace in which the line began is kept.
#[test]
fn a_trace_goes_on_through_the_headers() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let trace_of = |span: &Span| span.context().span().span_context().trace_id();
    let entry = SchemaEntry::of::<SchemaEntry>();

    let request = tracing::info_span!("request");
    let first = request.in_scope(|| Outgoing::keyed("t", "k", "/us/identity", &entry).unwrap());
    let first_envelope = received(&first).envelope().unwrap();
    let process = received(&first).span();
    assert_eq!(trace_of(&process), trace_of(&request));

    let second = process.in_scope(|| Outgoing::keyed("t", "k", "/us/authorization", &entry).unwrap());
    let second_envelope = received(&second.caused_by(&first_envelope)).envelope().unwrap();
    assert_ne!(second_envelope.traceparent, first_envelope.traceparent);
    assert_eq!(second_envelope.ce_traceparent, first_envelope.traceparent);
    assert!(first_envelope.traceparent.unwrap().contains(&trace_of(&request).to_string()));
}
