//! Errors as AuthZEN has them: a status and a plain string.

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use writ_service::Problem;

use crate::authzen::InvalidEvaluation;
use crate::freshness::TooManyWaiting;

/// Seconds until a client should try again.
const RETRY_AFTER: u32 = 1;
/// The type, in metrics, of the answer to a read that asked for a state that is not here yet. It says nothing of the
/// service: any client can ask for what does not exist.
const BEHIND: &str = "behind";

/// Why a request is not answered.
#[derive(Debug)]
pub(super) struct ReadError(Problem);

impl ReadError {
    /// 400.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self(Problem::bad_request(detail.into()))
    }

    /// 401 for a request without a token.
    pub(super) fn no_token() -> Self {
        Self(Problem::unauthorized(
            "a bearer token is required; clients drop it when they follow a redirect to another address",
        ))
    }

    /// 401 for a token that is not valid; never says why not.
    pub(super) fn bad_token() -> Self {
        let scheme = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        Self(Problem::unauthorized("the bearer token is not in force").with_header(WWW_AUTHENTICATE, scheme))
    }

    /// 403.
    pub(super) fn forbidden() -> Self {
        Self(Problem::forbidden("the caller may only ask about itself"))
    }

    /// 413 or 400 for a body that could not be read.
    pub(super) fn unreadable(problem: &Problem) -> Self {
        match problem.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")),
            StatusCode::REQUEST_TIMEOUT => {
                Self(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"))
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::bad_request("content-type must be application/json"),
            _ => Self::bad_request("the body could not be read"),
        }
    }

    /// 503 for a state that is not here yet.
    pub(super) fn behind(detail: String) -> Self {
        Self(Problem::unavailable(detail, RETRY_AFTER).of_type(BEHIND))
    }

    /// 503 for questions that take too long to decide.
    pub(super) fn too_long() -> Self {
        Self(Problem::unavailable("the evaluations take too long to decide: send fewer in one request", RETRY_AFTER))
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// The text for the client.
    pub(super) fn detail(&self) -> &str {
        self.0.detail()
    }
}

impl From<Problem> for ReadError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<InvalidEvaluation> for ReadError {
    fn from(invalid: InvalidEvaluation) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

impl From<TooManyWaiting> for ReadError {
    fn from(error: TooManyWaiting) -> Self {
        Self(Problem::too_many_requests(error.to_string(), RETRY_AFTER))
    }
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ReadError {
    fn into_response(self) -> Response {
        self.0.into_plain_text()
    }
}
