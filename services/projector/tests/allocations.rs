//! Reading a body takes memory in proportion to the body, whatever is in it.

use allocation_counter::measure;
use axum::body::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use writ_projector::authzen::{AccessEvaluation, EvaluationsRequest};
use writ_service::extract::JsonBytes;

/// Most bytes allocated at a time for each byte of the body.
const FACTOR: u64 = 12;
/// Bytes allocated for any body.
const CONSTANT: u64 = 4_096;

fn check(body: String) -> Result<(), TestCaseError> {
    let (length, body) = (body.len() as u64, JsonBytes::from(Bytes::from(body)));
    let one = measure(|| drop(AccessEvaluation::read(&body)));
    let several = measure(|| {
        if let Ok(EvaluationsRequest::Several(evaluations)) = EvaluationsRequest::read(&body) {
            (0..).map_while(|number| evaluations.item(number)).for_each(drop);
        }
    });
    for allocated in [one.bytes_max, several.bytes_max] {
        prop_assert!(allocated <= CONSTANT + FACTOR * length, "{allocated} bytes allocated for {length}");
    }
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "[\n\"\\\\]{0,20}".prop_map(Value::from),
        (0..3_000_usize).prop_map(|count| Value::from(vec![0; count])),
    ];
    leaf.prop_recursive(6, 200, 30, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,3}", inner, 0..30)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_body_takes_memory_in_proportion(
        context in any_json(),
        subject in any_json(),
        action in any_json(),
        item in any_json(),
        items in 0..1_000_usize,
    ) {
        let mut evaluations = vec![item];
        evaluations.resize(items, json!({}));
        check(json!({
            "context": context,
            "subject": {"type": "user", "id": "alice", "properties": subject},
            "action": action,
            "resource": {"type": "r", "id": "\n"},
            "evaluations": evaluations,
        }).to_string())?;
    }
}

/// What once took 8 GB: a thousand items that share a context of 260,000 numbers.
#[test]
fn what_items_share_is_not_multiplied() {
    let numbers = |count: usize| json!({"a": vec![0; count]});
    let items = vec![json!({}); 1_000];
    let shared = |context: usize, properties: usize| {
        json!({
            "context": numbers(context),
            "subject": {"type": "user", "id": "alice", "properties": numbers(properties)},
            "action": {"name": "view", "properties": numbers(properties)},
            "resource": {"type": "record", "id": "a\nb".repeat(1_000), "properties": numbers(properties)},
            "evaluations": items,
        })
    };
    for body in [shared(260_000, 0), shared(0, 260_000), shared(8_000, 8_000)] {
        check(body.to_string()).unwrap();
    }
}

/// As many different names as there can be, among which duplicates are looked for.
#[test]
fn names_of_members_take_memory_in_proportion() {
    let names = (0..40_000).map(|number| format!("\"{number:x}\":0"));
    check(format!("{{{}}}", names.collect::<Vec<_>>().join(","))).unwrap();
    check("[".repeat(400_000)).unwrap();
}
