//! Errors as AuthZEN has them: a status and a plain string.

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use writ_service::Problem;

use crate::authzen::Invalid;
use crate::freshness::TooManyWaiting;
use crate::index::HalfChanged;

/// How long a client should wait before it tries again, in seconds.
const RETRY_AFTER: u32 = 1;

/// Why a request is not answered.
#[derive(Debug)]
pub(super) struct Refusal(Problem);

impl Refusal {
    /// 400.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self(Problem::bad_request(detail.into()))
    }

    /// 401 for a request without a token.
    pub(super) fn no_token() -> Self {
        Self(Problem::unauthorized("a bearer token is required"))
    }

    /// 401 for a token that is not in force; never says why not.
    pub(super) fn bad_token() -> Self {
        let scheme = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        Self(Problem::unauthorized("the bearer token is not in force").with_header(WWW_AUTHENTICATE, scheme))
    }

    /// 403.
    pub(super) fn forbidden() -> Self {
        Self(Problem::forbidden("the caller may only ask about itself"))
    }

    /// 413.
    pub(super) fn too_large() -> Self {
        Self(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"))
    }

    /// 503 for a state that is not here yet.
    pub(super) fn behind(detail: String) -> Self {
        Self(Problem::unavailable(detail, RETRY_AFTER))
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// What the client is told.
    pub(super) fn detail(&self) -> &str {
        self.0.detail()
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl From<TooManyWaiting> for Refusal {
    fn from(error: TooManyWaiting) -> Self {
        Self(Problem::too_many_requests(error.to_string(), RETRY_AFTER))
    }
}

impl From<HalfChanged> for Refusal {
    fn from(error: HalfChanged) -> Self {
        Self(Problem::internal(error))
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.into_plain_text()
    }
}
