use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use tower::ServiceExt;

use super::*;

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
struct Team {
    #[expect(dead_code, reason = "only read from JSON")]
    name: String,
    #[deserr(default)]
    labels: Option<Labels>,
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
struct Labels {
    #[expect(dead_code, reason = "only read from JSON")]
    size: u32,
}

async fn answer(content_type: Option<&str>, body: &str) -> (u16, serde_json::Value) {
    let size = |Json(team): Json<Team>| async move { team.labels.is_some().to_string() };
    let app = Router::new().route("/", post(size)).layer(DefaultBodyLimit::max(100));
    let mut request = Request::post("/");
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    let answer = app.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), 10_000).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn refused(body: &str) -> Vec<(String, String)> {
    let (status, problem) = answer(Some("application/json"), body).await;
    assert_eq!(status, 400, "{body}");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let parameters = problem["invalid_parameters"].as_array().unwrap();
    parameters.iter().map(|one| (text(&one["field"]), text(&one["rule"]))).collect()
}

#[tokio::test]
async fn every_wrong_field_is_named_with_its_path() {
    for (body, expected) in [
        (r#"{"labels":{"size":1}}"#, vec![("name", "required")]),
        (r#"{"name":"a","labels":{}}"#, vec![("labels.size", "required")]),
        (r#"{"name":null}"#, vec![("name", "required")]),
        (r#"{"name":1,"labels":{"size":"x"}}"#, vec![("labels.size", "is_integer"), ("name", "is_string")]),
        (r#"{"name":1,"labels":{"size":4294967296}}"#, vec![("labels.size", "invalid"), ("name", "is_string")]),
        (r#"{"name":"a","labels":[]}"#, vec![("labels", "is_object")]),
        (r#"{"nick":"a","nock":"b"}"#, vec![("body", "unknown_property"), ("name", "required")]),
        (r#"{"name":"a","labels":{"size":1,"a":1}}"#, vec![("labels.body", "unknown_property")]),
        (r#"{"name":"a","name":"b"}"#, vec![("name", "duplicate")]),
        (r#"{"name":"a","labels":{"size":1,"size":1}}"#, vec![("labels.size", "duplicate")]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|(field, rule)| (field.to_owned(), rule.to_owned())).collect();
        assert_eq!(refused(body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn what_is_not_a_json_object_is_refused_as_a_whole() {
    for body in ["", "{", "{\"name\":", "nonsense", "\u{0}", "{} {}", "[]", "5", "null"] {
        assert_eq!(refused(body).await, [("body".to_owned(), "is_object".to_owned())], "{body}");
    }
}

#[tokio::test]
async fn content_type_and_size_are_checked() {
    let body = r#"{"name":"a"}"#;
    for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
        assert_eq!(answer(Some(content_type), body).await.0, 200, "{content_type}");
    }
    assert_eq!(answer(Some("text/plain"), body).await.0, 415);
    assert_eq!(answer(None, body).await.0, 415);
    assert_eq!(answer(Some("application/json"), &"[1]".repeat(50)).await.0, 413);
}
