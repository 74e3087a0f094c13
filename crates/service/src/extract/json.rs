//! The body of a request as JSON.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::problem::{InvalidParameter, Problem};

/// JSON in a request, refused with a [`Problem`]: 415 another content type, 413 too large, 400
/// not JSON or not of the type. In an answer, JSON of `T`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Expected a request with Content-Type: application/json",
            ));
        }
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        read_json(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Reads a whole body as `T`.
///
/// # Errors
/// 400 when the bytes are not JSON or not of the type; the problem names the field.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.is_empty() {
        return Err(Problem::bad_request("The request has no body"));
    }
    let mut text = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut text)
        .map_err(|error| refused(&error.path().to_string(), error.inner()))?;
    text.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// `application/json` or `application/<anything>+json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn unreadable(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large"),
        _ => Problem::bad_request("The request body could not be read"),
    }
}

fn refused(path: &str, error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Data => Problem::invalid([parameter(path, &without_position(error))]),
        Category::Syntax | Category::Eof | Category::Io => malformed(error),
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::bad_request(format!("The request body is not valid JSON: {error}"))
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Serde tells a missing or unknown field by its text alone; the path is then the object's.
fn parameter(path: &str, reason: &str) -> InvalidParameter {
    let path = if path == "." { "" } else { path };
    if let Some(name) = quoted_after(reason, "missing field `") {
        return InvalidParameter::body(join(path, name), "required", "is required");
    }
    if let Some(name) = quoted_after(reason, "unknown field `") {
        // The path ends with the unknown field itself.
        let field = if path.ends_with(name) { path.to_owned() } else { join(path, name) };
        return InvalidParameter::body(field, "unknown_property", "is not a known property");
    }
    InvalidParameter::body(path, "type", reason)
}

fn quoted_after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.split('`').next()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use axum::routing::post;
    use serde::Deserialize;
    use tower::ServiceExt;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Team {
        name: String,
        labels: Labels,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Labels {
        size: u32,
    }

    fn parameter_of(body: &str) -> (String, &'static str) {
        let problem = read_json::<Team>(body.as_bytes()).unwrap_err();
        assert_eq!(problem.status(), 400);
        let parameter = problem.invalid_parameters()[0].clone();
        (parameter.field, parameter.rule.unwrap())
    }

    #[test]
    fn a_wrong_field_is_named_with_its_path() {
        assert_eq!(parameter_of(r#"{"labels":{"size":1}}"#), ("name".into(), "required"));
        assert_eq!(parameter_of(r#"{"name":"a","labels":{}}"#), ("labels.size".into(), "required"));
        assert_eq!(parameter_of(r#"{"name":1,"labels":{"size":1}}"#), ("name".into(), "type"));
        assert_eq!(parameter_of(r#"{"name":"a","labels":{"size":"x"}}"#), ("labels.size".into(), "type"));
        assert_eq!(parameter_of(r#"{"name":"a","labels":{"sice":1}}"#), ("labels.sice".into(), "unknown_property"));
        assert_eq!(parameter_of(r#"{"nick":"a"}"#), ("nick".into(), "unknown_property"));
        assert_eq!(parameter_of("[]"), (String::new(), "type"));
    }

    #[test]
    fn what_is_not_json_has_no_field() {
        for body in ["", "{", "{\"name\":", "nonsense", "\u{0}", "{} {}"] {
            let problem = read_json::<serde_json::Value>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.status(), 400, "{body}");
            assert!(problem.invalid_parameters().is_empty());
        }
    }

    async fn status(content_type: Option<&str>, body: &'static str) -> u16 {
        let echo = |Json(team): Json<serde_json::Value>| async move { Json(team) };
        let app = Router::new().route("/", post(echo)).layer(DefaultBodyLimit::max(20));
        let mut request = Request::post("/");
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let answer = app.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        answer.status().as_u16()
    }

    #[tokio::test]
    async fn content_type_and_size_are_checked() {
        assert_eq!(status(Some("application/json"), "{}").await, 200);
        assert_eq!(status(Some("Application/JSON; charset=utf-8"), "{}").await, 200);
        assert_eq!(status(Some("application/merge-patch+json"), "{}").await, 200);
        assert_eq!(status(Some("text/plain"), "{}").await, 415);
        assert_eq!(status(None, "{}").await, 415);
        assert_eq!(status(Some("application/json"), "[1,2,3,4,5,6,7,8,9,10,11]").await, 413);
        assert_eq!(status(Some("application/json"), "").await, 400);
    }
}
