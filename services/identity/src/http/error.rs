//! Errors as HTTP answers.

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::{IntoResponse, Response};
use writ_service::{InvalidParameter, Problem};

use crate::domain::Violation;
use crate::error::IdentityError;

/// Seconds until it is worth asking again whether the clock is right.
const CLOCK_RETRY: u32 = 60;
/// Seconds until it is worth changing an organization again that has many changes waiting.
const CHANGE_RETRY: u32 = 1;
/// Seconds until it is worth asking again whether the outbox has room.
const OUTBOX_RETRY: u32 = 5;
/// Clients that follow a redirect to another region without their token end here.
const NO_TOKEN: &str = "A valid token is required. Clients drop it when they follow a redirect to another address: \
    send the request to the organization's home region, which the redirect names";

impl IntoResponse for IdentityError {
    fn into_response(self) -> Response {
        match self {
            Self::Answered(answer) => answer.into_response(),
            error => problem(error).into_response(),
        }
    }
}

fn problem(error: IdentityError) -> Problem {
    match error {
        IdentityError::Invalid { field, violation: Violation { rule, reason } } => {
            Problem::invalid([InvalidParameter::body(field, rule, reason)])
        }
        IdentityError::SystemTeam => {
            Problem::invalid([InvalidParameter::path("teamID", "invalid", "system teams cannot be modified")])
        }
        IdentityError::NoToken => Problem::unauthorized(NO_TOKEN),
        IdentityError::Unauthenticated => Problem::unauthorized("A valid token is required"),
        IdentityError::Forbidden(why) => Problem::forbidden(why),
        IdentityError::NotFound(what) => Problem::not_found(format!("The requested {what} was not found")),
        IdentityError::Conflict(why) => Problem::conflict(why),
        IdentityError::Exists { what, id } => Problem::exists(what, id),
        IdentityError::Answered(_) => Problem::internal(anyhow::anyhow!("an answer is no problem")),
        IdentityError::Sealing(error) => Problem::internal(error),
        IdentityError::Answer(error) => Problem::internal(error),
        IdentityError::ClockAhead => Problem::unavailable(
            "The organization's last change lies more than a minute in the future of the server's clock; no change \
                 is made until the clock has reached it",
            CLOCK_RETRY,
        ),
        IdentityError::TooManyRequests(problem) => *problem,
        IdentityError::QuotaReached { quota, maximum } => {
            Problem::conflict(format!("The organization has reached its quota (quota: {quota}, maximum: {maximum})"))
        }
        IdentityError::TooManyChanges => Problem::too_many_requests(
            "Too many changes of the organization wait for each other (quota: concurrent changes)",
            CHANGE_RETRY,
        ),
        IdentityError::OutboxFull => Problem::unavailable(
            "Changes cannot be passed on now, and as many as may wait do; no change is made until some are passed on",
            OUTBOX_RETRY,
        )
        .of_type("outbox_full"),
        IdentityError::Elsewhere { home, target } => elsewhere(&home, &target),
        IdentityError::Database(error) => Problem::from(error),
        IdentityError::Record(error) => Problem::internal(error),
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
