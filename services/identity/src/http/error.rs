//! Errors as HTTP answers.

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::{IntoResponse, Response};
use writ_service::{InvalidParameter, Problem};

use crate::domain::Violation;
use crate::error::Error;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid { field, violation: Violation { rule, reason } } => {
                Self::invalid([InvalidParameter::body(field, rule, reason)])
            }
            Error::SystemTeam => {
                Self::invalid([InvalidParameter::path("teamID", "invalid", "system teams cannot be modified")])
            }
            Error::Unauthenticated => Self::unauthorized("A valid token is required"),
            Error::Forbidden(why) => Self::forbidden(why),
            Error::NotFound(what) => Self::not_found(format!("The requested {what} was not found")),
            Error::Conflict(why) => Self::conflict(why),
            Error::Elsewhere { home, target } => elsewhere(&home, &target),
            Error::Database(error) => database(error),
            Error::Record(error) => Self::internal(error),
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
