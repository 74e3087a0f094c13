use axum::body::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use writ_service::extract::{JsonBytes, NotJson};

use super::*;

fn question() -> Value {
    json!({
        "subject": {"type": "user", "id": "alice", "properties": {"department": "sales"}},
        "action": {"name": "read", "properties": {"method": "GET"}},
        "resource": {"type": "record", "id": "record-1", "properties": {"status": "active"}},
        "context": {"time": "2026-01-11T12:00:00Z"},
    })
}

fn bytes(body: impl Into<Vec<u8>>) -> JsonBytes {
    Bytes::from(body.into()).into()
}

/// Kept for ever, so that what is read can borrow from it.
fn leaked(body: impl Into<Vec<u8>>) -> &'static JsonBytes {
    Box::leak(Box::new(bytes(body)))
}

fn single(body: &Value) -> Result<AccessEvaluation<'static>, InvalidEvaluation> {
    AccessEvaluation::read(leaked(body.to_string()))
}

fn request(body: &Value) -> Result<EvaluationsRequest<'static>, InvalidEvaluation> {
    EvaluationsRequest::read(leaked(body.to_string()))
}

fn several(body: &Value) -> &'static AccessEvaluations<'static> {
    match request(body) {
        Ok(EvaluationsRequest::Several(evaluations)) => Box::leak(Box::new(evaluations)),
        other => panic!("{other:?}"),
    }
}

fn items(body: &Value) -> Vec<Result<AccessEvaluation<'static>, InvalidEvaluation>> {
    let evaluations = several(body);
    (0..).map_while(|number| evaluations.item(number)).collect()
}

/// The question without the field at `path`, or with `value` there.
fn with(path: &str, value: Option<Value>) -> Value {
    let mut body = question();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let fields = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => fields.insert(name.to_owned(), value),
        None => fields.remove(name),
    };
    body
}

#[test]
fn a_question_is_read_whole() {
    let asked = single(&question()).unwrap();
    assert_eq!((&*asked.subject_type, &*asked.subject_id), ("user", "alice"));
    assert_eq!(asked.action, "read");
    assert_eq!((&*asked.resource_type, &*asked.resource_id), ("record", "record-1"));
}

#[test]
fn a_missing_field_is_named() {
    for path in [
        "/subject",
        "/subject/type",
        "/subject/id",
        "/action",
        "/action/name",
        "/resource",
        "/resource/type",
        "/resource/id",
    ] {
        let name = path[1..].replace('/', ".");
        for absent in [None, Some(Value::Null)] {
            assert_eq!(single(&with(path, absent)).unwrap_err().to_string(), format!("{name} is missing"));
        }
    }
}

#[test]
fn all_faults_are_named() {
    let message = single(&json!({"subject": {"type": 1}, "resource": 2})).unwrap_err().to_string();
    let expected =
        "subject.type must be a string; subject.id is missing; action is missing; resource must be an object";
    assert_eq!(message, expected);
}

#[test]
fn a_default_counts_only_for_items_that_use_it() {
    let mut body = with("/evaluations", Some(json!([{"subject": {"type": "user", "id": "bob"}}, {}])));
    body["subject"] = json!({"type": "user"});
    let [own, shared] = items(&body).try_into().unwrap();
    assert_eq!(own.unwrap().subject_id, "bob");
    assert_eq!(shared.unwrap_err().to_string(), "subject.id is missing");
}

#[test]
fn a_mistyped_field_is_named() {
    for path in ["/subject/type", "/subject/id", "/action/name", "/resource/type", "/resource/id"] {
        for value in [json!(7), json!(["a"]), json!({}), json!(true)] {
            let message = single(&with(path, Some(value))).unwrap_err().to_string();
            assert_eq!(message, format!("{} must be a string", path[1..].replace('/', ".")));
        }
    }
    for path in ["/subject", "/action", "/resource", "/context", "/subject/properties", "/action/properties"] {
        for value in [json!(7), json!(["user", "alice"]), json!("alice")] {
            let message = single(&with(path, Some(value))).unwrap_err().to_string();
            assert_eq!(message, format!("{} must be an object", path[1..].replace('/', ".")));
        }
    }
}

#[test]
fn unknown_fields_are_ignored_and_optional_ones_may_be_absent() {
    for path in ["/extra", "/subject/extra", "/action/extra", "/resource/extra"] {
        assert!(single(&with(path, Some(json!({"a": [1]})))).is_ok(), "{path}");
    }
    for path in ["/context", "/subject/properties", "/action/properties", "/resource/properties"] {
        assert!(single(&with(path, None)).is_ok(), "{path}");
    }
}

#[test]
fn what_is_not_an_object_is_refused() {
    for body in ["", " ", "{", "{\"subject\":}", "\u{feff}{}", "nul"] {
        assert_eq!(AccessEvaluation::read(&bytes(body)), Err(InvalidEvaluation::NotJson(NotJson)), "{body}");
        assert_eq!(EvaluationsRequest::read(&bytes(body)), Err(InvalidEvaluation::NotJson(NotJson)), "{body}");
    }
    for body in ["[]", "null", "7", "\"subject\""] {
        let message = AccessEvaluation::read(&bytes(body)).unwrap_err().to_string();
        assert_eq!(message, "the body must be an object", "{body}");
    }
}

#[test]
fn without_items_it_is_the_single_api() {
    for empty in [None, Some(json!([])), Some(Value::Null)] {
        let body = with("/evaluations", empty);
        let read = request(&body);
        assert_eq!(read, Ok(EvaluationsRequest::One(single(&question()).unwrap())));
    }
}

#[test]
fn an_item_overrides_by_the_whole_object() {
    let body = with(
        "/evaluations",
        Some(json!([
            {},
            {"resource": {"type": "record", "id": "record-2"}},
            {"action": {"name": "write"}, "context": {}},
        ])),
    );
    assert_eq!(several(&body).semantic(), Semantic::ExecuteAll);
    let items: Vec<_> = items(&body).into_iter().map(Result::unwrap).collect();
    assert_eq!(items[0], single(&question()).unwrap());
    assert_eq!(items[1].resource_id, "record-2");
    assert_eq!(items[2].action, "write");
}

#[test]
fn defaults_may_be_absent_when_the_items_bring_everything() {
    assert_eq!(items(&json!({"evaluations": [question()]})), vec![Ok(single(&question()).unwrap())]);
}

#[test]
fn a_bad_item_spoils_only_itself() {
    let body = with(
        "/evaluations",
        Some(json!([
            7,
            {"resource": {"id": "record-2"}},
            {"subject": "alice"},
            {},
        ])),
    );
    let items = items(&body);
    let messages: Vec<_> = items.iter().map(|item| item.as_ref().err().map(ToString::to_string)).collect();
    assert_eq!(
        messages,
        vec![
            Some("an item of evaluations must be an object".to_owned()),
            Some("resource.type is missing".to_owned()),
            Some("subject must be an object".to_owned()),
            None,
        ]
    );
}

#[test]
fn texts_with_escapes_are_read() {
    let body = r#"{"subject":{"type":"user","id":"a\u0041\n"},"action":{"name":"read"},
        "evaluations":[{"resource":{"type":"r","id":"\""}}]}"#;
    let Ok(EvaluationsRequest::Several(evaluations)) = EvaluationsRequest::read(leaked(body)) else { panic!() };
    let item = evaluations.item(0).unwrap().unwrap();
    assert_eq!((&*item.subject_id, &*item.resource_id), ("aA\n", "\""));
    assert_eq!(evaluations.item(1), None);
}

#[test]
fn what_all_items_share_must_be_right() {
    let items = Some(json!([question()]));
    for (name, value) in [
        ("subject", json!("alice")),
        ("context", json!([])),
        ("options", json!(7)),
        ("options", json!({"evaluations_semantic": "first_wins"})),
        ("options", json!({"evaluations_semantic": 1})),
    ] {
        let mut body = with("/evaluations", items.clone());
        body[name] = value;
        assert!(request(&body).is_err(), "{body}");
    }
    let body = with("/evaluations", Some(json!({"0": {}})));
    let message = request(&body).unwrap_err().to_string();
    assert_eq!(message, "evaluations must be an array");
    let body = json!({"evaluations": vec![question(); 1_001]});
    assert_eq!(request(&body).unwrap_err().to_string(), "evaluations must have at most 1000 items");
}

#[test]
fn semantics() {
    let semantic = |name: &str| {
        let mut body = with("/evaluations", Some(json!([{}])));
        body["options"] = json!({"evaluations_semantic": name, "other": 1});
        several(&body).semantic()
    };
    let table =
        [("execute_all", false, false), ("deny_on_first_deny", true, false), ("permit_on_first_permit", false, true)];
    for (name, ends_with_denial, ends_with_permit) in table {
        assert_eq!(semantic(name).ends_with(false), ends_with_denial, "{name}");
        assert_eq!(semantic(name).ends_with(true), ends_with_permit, "{name}");
    }
}

#[test]
fn answers_have_the_shape_of_the_standard() {
    let answers = AccessAnswers {
        evaluations: vec![AccessAnswer::decided(true), AccessAnswer::refused(400, "subject is missing".into())],
    };
    assert_eq!(
        serde_json::to_value(answers).unwrap(),
        json!({"evaluations": [
            {"decision": true},
            {"decision": false, "context": {"error": {"status": 400, "message": "subject is missing"}}},
        ]})
    );
}

#[test]
fn what_nobody_reads_is_bounded_and_named() {
    let numbers = |count: usize| json!({"a": vec![0; count]});
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({"\"[{\\": inner}));
    for (path, field) in [
        ("/context", "context"),
        ("/subject/properties", "subject.properties"),
        ("/action/properties", "action.properties"),
        ("/resource/properties", "resource.properties"),
    ] {
        let message = |value| single(&with(path, Some(value))).unwrap_err().to_string();
        assert_eq!(message(numbers(8_190)), format!("{field} must have at most 16384 bytes"));
        assert_eq!(message(nested(17)), format!("{field} must be nested at most 16 deep"));
        assert!(single(&with(path, Some(numbers(8_180)))).is_ok(), "{path}");
        assert!(single(&with(path, Some(nested(16)))).is_ok(), "{path}");
    }
    let body = with("/evaluations", Some(json!([{"context": numbers(9_000)}, {}])));
    let [large, fine] = items(&body).try_into().unwrap();
    assert_eq!(large.unwrap_err().to_string(), "context must have at most 16384 bytes");
    assert!(fine.is_ok());
}

#[test]
fn a_member_that_occurs_twice_is_named() {
    let of = |body: &str| (AccessEvaluation::read(&bytes(body)).unwrap_err().to_string(), request_error(body));
    for (body, field) in [
        (r#"{"subject":{"type":"user","id":"nobody"},"subject":{"type":"user","id":"alice"}}"#, "subject"),
        (r#"{"subject":{"type":"user","id":"nobody","id":"alice"}}"#, "subject.id"),
        (r#"{"context":{"a":[{"b":1,"b":2}]}}"#, "context.a.0.b"),
        (r#"{"extra":{"a":1,"\u0061":2}}"#, "extra.a"),
    ] {
        let message = format!("{field} occurs more than once");
        assert_eq!(of(body), (message.clone(), message), "{body}");
    }
}

fn request_error(body: &str) -> String {
    EvaluationsRequest::read(&bytes(body)).unwrap_err().to_string()
}

proptest! {
    /// No body makes the reader panic.
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let body = bytes(body);
        let _ = AccessEvaluation::read(&body);
        if let Ok(EvaluationsRequest::Several(evaluations)) = EvaluationsRequest::read(&body) {
            let _ = (0..).map_while(|number| evaluations.item(number)).count();
        }
    }
}
