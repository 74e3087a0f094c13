use super::*;
use axum::body::to_bytes;
use axum::http::header::WWW_AUTHENTICATE;
use serde_json::{Value, json};

async fn body(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), 10_000).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn an_answer_has_all_members_of_the_contract() {
    let parameter = InvalidParameter::body("name", "required", "is missing");
    let response = Problem::invalid([parameter]).into_response();
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    let mut body = body(response).await;
    let instance = body["instance"].take();
    assert!(instance.as_str().unwrap().starts_with("writ:trace:"));
    let expected = json!({
        "status": 400, "title": "Bad Request", "type": "about:blank", "instance": null,
        "detail": "Invalid Parameters",
        "invalid_parameters": [{"field": "name", "reason": "is missing", "rule": "required", "source": "body"}],
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_cause_stays_inside() {
    let problem = Problem::from(sqlx::Error::Protocol("secret of the database".into()));
    assert_eq!(problem.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = body(problem.into_response()).await;
    assert!(!body.to_string().contains("secret"), "{body}");
    assert!(body.get("invalid_parameters").is_none());
}

#[test]
fn a_database_out_of_reach_asks_to_come_back() {
    let response = Problem::from(sqlx::Error::PoolTimedOut).into_response();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
}

#[test]
fn a_database_that_restarts_asks_to_come_back() {
    for (code, status) in [
        ("57P01", 503),
        ("57P02", 503),
        ("57P03", 503),
        ("53300", 503),
        ("08006", 503),
        ("08P01", 503),
        ("23505", 500),
        ("57014", 500),
        ("42P01", 500),
    ] {
        let response = Problem::from(sqlx::Error::Database(Box::new(Refusal(code)))).into_response();
        assert_eq!(response.status(), status, "{code}");
        assert_eq!(response.headers().contains_key(RETRY_AFTER), status == 503, "{code}");
    }
}

/// What PostgreSQL answers with a SQLSTATE.
#[derive(Debug, thiserror::Error)]
#[error("a value of a row")]
struct Refusal(&'static str);

impl sqlx::error::DatabaseError for Refusal {
    fn message(&self) -> &str {
        "a value of a row"
    }

    fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
        Some(self.0.into())
    }

    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> sqlx::error::ErrorKind {
        sqlx::error::ErrorKind::Other
    }
}

#[test]
fn a_header_is_set_once() {
    let other = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    let response = Problem::unauthorized("no").with_header(WWW_AUTHENTICATE, other.clone()).into_response();
    assert_eq!(response.headers().get_all(WWW_AUTHENTICATE).iter().collect::<Vec<_>>(), [other]);
}

#[test]
fn an_unknown_caller_is_told_the_scheme() {
    let response = Problem::unauthorized("Invalid credentials").into_response();
    assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
}

#[tokio::test]
async fn plain_text_for_those_who_prescribe_it() {
    let parameter = InvalidParameter::body("subject", "required", "is missing");
    let response = Problem::invalid([parameter]).into_plain_text();
    assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    let bytes = to_bytes(response.into_body(), 1_000).await.unwrap();
    assert_eq!(bytes, "Invalid Parameters; subject: is missing");
}
