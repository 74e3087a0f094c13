//! The body of a request: JSON, of a limited size.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};

use super::refusal::Refusal;

/// The bytes of a body that says it is JSON.
pub(super) type Body = Result<JsonBytes, Refusal>;

/// See [`Body`]. Extracted as a result, so that the handler decides when its refusal counts: who
/// may not ask at all learns nothing else.
#[derive(Debug)]
pub(super) struct JsonBytes(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        if !is_json {
            return Err(Refusal::bad_request("content-type must be application/json"));
        }
        Ok(Self(bytes))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn unreadable(rejection: BytesRejection) -> Refusal {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large(),
        _ => Refusal::bad_request("the body could not be read"),
    }
}
