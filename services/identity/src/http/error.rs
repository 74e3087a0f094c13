//! Errors as HTTP answers.

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::{IntoResponse, Response};
use writ_service::{InvalidParameter, Problem};

use crate::domain::Violation;
use crate::error::IdentityError;

/// Seconds until it is worth asking again whether the clock is right.
const CLOCK_RETRY: u32 = 60;

impl IntoResponse for IdentityError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Invalid { field, violation: Violation { rule, reason } } => {
                Self::invalid([InvalidParameter::body(field, rule, reason)])
            }
            IdentityError::SystemTeam => {
                Self::invalid([InvalidParameter::path("teamID", "invalid", "system teams cannot be modified")])
            }
            IdentityError::Unauthenticated => Self::unauthorized("A valid token is required"),
            IdentityError::Forbidden(why) => Self::forbidden(why),
            IdentityError::NotFound(what) => Self::not_found(format!("The requested {what} was not found")),
            IdentityError::Conflict(why) => Self::conflict(why),
            IdentityError::ClockAhead => Self::unavailable(
                "The organization's last change lies more than a minute in the future of the server's clock; no change \
                 is made until the clock has reached it",
                CLOCK_RETRY,
            ),
            IdentityError::Elsewhere { home, target } => elsewhere(&home, &target),
            IdentityError::Database(error) => database(error),
            IdentityError::Record(error) => Self::internal(error),
        }
    }
}

/// Clients that drop credentials when they follow a redirect find the address in the detail.
fn elsewhere(home: &str, target: &str) -> Problem {
    let problem = Problem::new(StatusCode::TEMPORARY_REDIRECT, format!("The organization's home is [{home}]"));
    match HeaderValue::try_from(format!("{home}{target}")) {
        Ok(location) => problem.with_header(LOCATION, location),
        Err(error) => Problem::internal(error),
    }
}

/// PostgreSQL's own words may hold values of rows, so only its code and the constraint are kept.
fn database(error: sqlx::Error) -> Problem {
    let sqlx::Error::Database(refusal) = &error else { return Problem::from(error) };
    let code = refusal.code().unwrap_or_default();
    Problem::internal(anyhow::anyhow!("SQLSTATE {code}, constraint {}", refusal.constraint().unwrap_or("none")))
}
