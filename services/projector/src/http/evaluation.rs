//! `POST /access/v1/evaluation` and `/access/v1/evaluations`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use writ_service::Problem;
use writ_service::extract::JsonBytes;

use super::admit::Admitted;
use super::answer::answer;
use super::decide::{decide_one, decide_several};
use super::error::ReadError;
use crate::app::ReadApp;
use crate::authzen::{
    AccessAnswer, AccessAnswers, AccessEvaluation, EvaluationBody, EvaluationsBody, EvaluationsRequest,
};

/// What the evaluations endpoint answers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Decisions {
    /// To items.
    Several(AccessAnswers),
    /// To a request without items.
    One(AccessAnswer),
}

/// A body that is JSON by its content type. Extracted as a result, because its refusal is a plain text here.
type Body = Result<JsonBytes, Problem>;

/// Decides whether a subject may do something.
///
/// `Writ-At-Least-As-Fresh`, `Prefer` and `Writ-Organization` say how fresh the answer must be, how long to wait for that
/// and, for platform services, which organization is asked about.
#[utoipa::path(
    post, path = "/access/v1/evaluation", operation_id = "evaluate", tag = "decisions",
    request_body = EvaluationBody<'static>, security(("bearer" = [])),
    responses((status = 200, description = "The decision, which may be a denial", body = AccessAnswer)),
)]
pub(super) async fn evaluate(
    State(app): State<Arc<ReadApp>>,
    Admitted(credentials): Admitted,
    body: Body,
) -> Result<Response, ReadError> {
    let body = body.map_err(|problem| ReadError::unreadable(&problem))?;
    let (organization, seen, decision) = decide_one(&app, &credentials, &AccessEvaluation::read(&body)?)?;
    Ok(answer(&app, organization, &seen, AccessAnswer::decided(decision)))
}

/// Decides several questions at once.
///
/// Takes the same headers as a single question.
#[utoipa::path(
    post, path = "/access/v1/evaluations", operation_id = "evaluate_several", tag = "decisions",
    request_body = EvaluationsBody<'static>, security(("bearer" = [])),
    responses((status = 200, description = "The decisions, in the order of the request; without items, the one",
        body = Decisions)),
)]
pub(super) async fn evaluate_several(
    State(app): State<Arc<ReadApp>>,
    Admitted(credentials): Admitted,
    body: Body,
) -> Result<Response, ReadError> {
    let body = body.map_err(|problem| ReadError::unreadable(&problem))?;
    match EvaluationsRequest::read(&body)? {
        EvaluationsRequest::One(asked) => {
            let (organization, seen, decision) = decide_one(&app, &credentials, &asked)?;
            Ok(answer(&app, organization, &seen, Decisions::One(AccessAnswer::decided(decision))))
        }
        EvaluationsRequest::Several(asked) => {
            let decided = decide_several(&app, &credentials, &asked).await?;
            let answers = Decisions::Several(AccessAnswers { evaluations: decided.answers });
            Ok(answer(&app, decided.organization, &decided.seen, answers))
        }
    }
}
