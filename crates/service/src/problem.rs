//! Errors as `application/problem+json` (RFC 9457), with what clients of Konnect expect in it.
//!
//! What a client is told and what went wrong inside are two things: the first is the answer, the
//! second goes to the log under the same `instance`.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::response::{AppendHeaders, IntoResponse, Response};
use opentelemetry::trace::TraceContextExt;
use serde::Serialize;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use utoipa::ToSchema;
use uuid::Uuid;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The one error of every API.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    invalid_parameters: Vec<InvalidParameter>,
    existing_id: Option<Box<str>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    error_type: Option<ErrorType>,
    cause: Option<anyhow::Error>,
}

/// What kind of refusal an answer is, if its status alone does not say so; in the extensions of the answer, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorType(pub(crate) &'static str);

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InvalidParameter {
    /// Where: a path such as `labels.team` in the body, or a parameter's name.
    pub field: String,
    /// What is wrong, for people.
    pub reason: String,
    /// The rule that is broken, for programs: `required`, `type`, `unknown_property`, …
    pub rule: &'static str,
    /// `body`, `path`, `query` or `header`.
    pub source: &'static str,
}

impl InvalidParameter {
    /// A field of the body that breaks `rule`.
    pub fn body(field: impl Into<String>, rule: &'static str, reason: impl Into<String>) -> Self {
        Self::of("body", field, rule, reason)
    }

    /// A parameter of the path.
    pub fn path(field: impl Into<String>, rule: &'static str, reason: impl Into<String>) -> Self {
        Self::of("path", field, rule, reason)
    }

    /// A parameter of the query.
    pub fn query(field: impl Into<String>, rule: &'static str, reason: impl Into<String>) -> Self {
        Self::of("query", field, rule, reason)
    }

    /// A header.
    pub fn header(field: impl Into<String>, rule: &'static str, reason: impl Into<String>) -> Self {
        Self::of("header", field, rule, reason)
    }

    fn of(source: &'static str, field: impl Into<String>, rule: &'static str, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into(), rule, source }
    }
}

impl Problem {
    /// An answer of `status`; `detail` is shown to the client.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            invalid_parameters: Vec::new(),
            existing_id: None,
            headers: Vec::new(),
            error_type: None,
            cause: None,
        }
    }

    /// 400, for what has no field to point at.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 400 that points at what is wrong.
    pub fn invalid(parameters: impl IntoIterator<Item = InvalidParameter>) -> Self {
        Self { invalid_parameters: parameters.into_iter().collect(), ..Self::bad_request("Invalid Parameters") }
    }

    /// 401: no token, or none that is in force.
    pub fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Self {
        let scheme = HeaderValue::from_static("Bearer");
        Self::new(StatusCode::UNAUTHORIZED, detail).with_header(axum::http::header::WWW_AUTHENTICATE, scheme)
    }

    /// 403: known, but not allowed.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: does not exist, or not for the one who asks.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: contradicts what exists.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 409: it exists already, under this id.
    pub fn exists(detail: impl Into<Cow<'static, str>>, id: impl ToString) -> Self {
        Self { existing_id: Some(id.to_string().into()), ..Self::conflict(detail) }
    }

    /// 429: try again after so many seconds.
    pub fn too_many_requests(detail: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(retry_after)
    }

    /// 503: try again after so many seconds.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(retry_after)
    }

    /// 500. The client learns nothing of the cause but where it is found in the log.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred").because(cause)
    }

    /// Adds what went wrong inside: logged, never sent.
    #[must_use]
    pub fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Sets a header of the answer, in place of an earlier value.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
        self
    }

    /// Names the kind of refusal in the label `error_type` of the metric of requests, in place of the status. A 5xx with a
    /// name of its own is a refusal, not a failure of the service: it is no error in traces.
    #[must_use]
    pub fn of_type(mut self, name: &'static str) -> Self {
        self.error_type = Some(ErrorType(name));
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client is told.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What is wrong with the request, field by field.
    pub fn invalid_parameters(&self) -> &[InvalidParameter] {
        &self.invalid_parameters
    }

    /// The same answer with its detail as plain text, for APIs that prescribe it (AuthZEN).
    pub fn into_plain_text(self) -> Response {
        self.log(&instance());
        let text = self
            .invalid_parameters
            .iter()
            .fold(self.detail.into_owned(), |text, InvalidParameter { field, reason, .. }| {
                format!("{text}; {field}: {reason}")
            });
        typed((self.status, AppendHeaders(self.headers), text).into_response(), self.error_type)
    }

    fn retry_after(self, seconds: u32) -> Self {
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    fn log(&self, instance: &str) {
        let status = self.status.as_u16();
        match &self.cause {
            Some(cause) if self.status.is_server_error() => {
                tracing::error!(status, instance, cause = format!("{cause:#}"), "request failed");
            }
            Some(cause) => {
                tracing::debug!(status, instance, cause = format!("{cause:#}"), "request refused");
            }
            None => {}
        }
    }
}

/// A [`Problem`] as clients get it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// HTTP status of the answer.
    status: u16,
    /// Meaning of the status.
    title: &'a str,
    /// Always `about:blank`: the status says what kind of problem it is.
    r#type: &'a str,
    /// Names this occurrence in the service's log.
    instance: &'a str,
    /// What is wrong, for people.
    detail: &'a str,
    /// What is wrong with the request, field by field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    invalid_parameters: &'a [InvalidParameter],
    /// With 409: the id of what exists already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    existing_id: Option<&'a str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let instance = instance();
        self.log(&instance);
        let body = Json(ProblemBody {
            status: self.status.as_u16(),
            title: self.status.canonical_reason().unwrap_or("Error"),
            r#type: "about:blank",
            instance: &instance,
            detail: &self.detail,
            invalid_parameters: &self.invalid_parameters,
            existing_id: self.existing_id.as_deref(),
        });
        let mut response = (self.status, AppendHeaders(self.headers), body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        typed(response, self.error_type)
    }
}

fn typed(mut response: Response, error_type: Option<ErrorType>) -> Response {
    if let Some(error_type) = error_type {
        response.extensions_mut().insert(error_type);
    }
    response
}

/// Names this occurrence by the request's trace, so that log, trace and answer are found together.
fn instance() -> String {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    if span.is_valid() {
        return format!("writ:trace:{}", span.trace_id());
    }
    format!("writ:trace:{}", Uuid::now_v7().simple())
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self::internal(error)
    }
}

impl From<sqlx::Error> for Problem {
    /// A database that cannot be reached is a reason to come back; all else is our own fault.
    fn from(error: sqlx::Error) -> Self {
        if !is_unreachable(&error) {
            return Self::internal(told(&error));
        }
        Self::unavailable("The service is temporarily unavailable", 1).because(told(&error))
    }
}

/// Whether the server is away, restarts or takes no connection now, rather than refusing a statement.
fn is_unreachable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            // Connection exceptions and insufficient resources; shutdown, crash and start of the server; a lock that was not
            // free in time.
            code.starts_with("08") || code.starts_with("53") || matches!(&*code, "57P01" | "57P02" | "57P03" | "55P03")
        }),
        _ => false,
    }
}

/// What may be logged: PostgreSQL's own words may hold values of rows, so only its code and the constraint are kept.
fn told(error: &sqlx::Error) -> anyhow::Error {
    match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            anyhow::anyhow!("SQLSTATE {code}, constraint {}", refusal.constraint().unwrap_or("none"))
        }
        error => anyhow::anyhow!("{error}"),
    }
}

#[cfg(test)]
mod tests;
