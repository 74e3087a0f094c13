//! The body of a request as JSON.

mod duplicates;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use deserr::{Deserr, IntoValue, ValuePointerRef};

use super::Faults;
use crate::http::InFlight;
use crate::problem::{InvalidParameter, Problem};

/// A JSON body of type `T`: 415 for another content type, 413 if it is too large, 400 if it is not
/// JSON or not a `T`, with every field that is wrong, 408 if it does not arrive in time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// A body with the content type of JSON, not parsed yet, for handlers that first check who asks.
#[derive(Debug, Clone)]
pub struct JsonBytes(Bytes);

/// The bytes of a body are not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not valid JSON")]
pub struct NotJson;

impl From<Bytes> for JsonBytes {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl JsonBytes {
    /// The body as it was sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the body as `T`.
    ///
    /// # Errors
    /// 400 that says what is wrong with it.
    pub fn into_json<T: Deserr<Faults>>(self) -> Result<T, Problem> {
        match self.read() {
            Ok(read) => read.map_err(Faults::in_body),
            Err(NotJson) => Err(malformed()),
        }
    }

    /// Reads the body as `T`; the inner result has what is wrong with it.
    ///
    /// # Errors
    /// When it is not JSON at all.
    pub fn read<T: Deserr<Faults>>(&self) -> Result<Result<T, Faults>, NotJson> {
        let json = match self.text()? {
            Ok(json) => json,
            Err(faults) => return Ok(Err(faults)),
        };
        let value: serde_json::Value = serde_json::from_str(json).map_err(|_| NotJson)?;
        Ok(T::deserialize_from_value(value.into_value(), ValuePointerRef::Origin))
    }

    /// The text of one JSON value, without white space around it. The inner result names a member that occurs twice.
    ///
    /// # Errors
    /// When it is not JSON at all.
    pub fn text(&self) -> Result<Result<&str, Faults>, NotJson> {
        let json = std::str::from_utf8(&self.0).map_err(|_| NotJson)?;
        Ok(match duplicates::find(json)? {
            Some(member) => Err(Faults::of(&member, "duplicate", "occurs more than once")),
            None => Ok(json.trim_matches([' ', '\t', '\n', '\r'])),
        })
    }
}

/// The path of a member that its object has twice, such as `subject.id`, if there is one.
///
/// # Errors
/// When it is not JSON at all.
pub fn duplicate_member(json: &str) -> Result<Option<String>, NotJson> {
    duplicates::find(json)
}

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Expected a request with Content-Type: application/json",
            ));
        }
        let time = InFlight::of(request.extensions()).body_time();
        match tokio::time::timeout(time, Bytes::from_request(request, state)).await {
            Ok(read) => read.map(Self).map_err(unreadable),
            Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time")),
        }
    }
}

impl<S: Send + Sync, T: Deserr<Faults>> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        JsonBytes::from_request(request, state).await?.into_json().map(Self)
    }
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

fn malformed() -> Problem {
    Problem::invalid([InvalidParameter::body("body", "is_object", "request format is invalid")])
}

#[cfg(test)]
mod tests;
