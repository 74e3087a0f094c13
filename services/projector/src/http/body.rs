//! The body of a request: JSON of a limited size.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};

use super::error::ReadError;

/// The bytes of a body that is declared to be JSON. Handlers extract it as a result, so that they decide when its error
/// counts: a caller who may not ask at all learns nothing else.
#[derive(Debug)]
pub(super) struct EvaluationBody(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for EvaluationBody {
    type Rejection = ReadError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ReadError> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        if !is_json {
            return Err(ReadError::bad_request("content-type must be application/json"));
        }
        Ok(Self(bytes))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn unreadable(rejection: BytesRejection) -> ReadError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ReadError::too_large(),
        _ => ReadError::bad_request("the body could not be read"),
    }
}
