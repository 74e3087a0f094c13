//! `POST /access/v1/evaluation` and `/access/v1/evaluations`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use writ_service::Problem;
use writ_service::extract::JsonBytes;

use super::admit::admit;
use super::answer::{SeenRevisions, answer};
use super::caller::ReadCaller;
use super::decide::decide;
use super::error::ReadError;
use crate::app::ReadApp;
use crate::authzen::{
    AccessAnswer, AccessAnswers, AccessEvaluation, AccessEvaluations, EvaluationBody, EvaluationsBody,
    EvaluationsRequest,
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

/// A body that is JSON by its content type. Extracted as a result, so that its refusal comes after that of a caller who
/// may not ask at all.
type Body = Result<JsonBytes, Problem>;

/// Decides whether a subject may do something.
///
/// `Writ-At-Least-As-Fresh`, `Prefer` and `Writ-Organization` say how fresh the answer must be, how long to wait for that
/// and, for platform services, which organization is asked about.
#[utoipa::path(
    post, path = "/access/v1/evaluation", operation_id = "evaluate", tag = "decisions",
    request_body = EvaluationBody, security(("bearer" = [])),
    responses((status = 200, description = "The decision, which may be a denial", body = AccessAnswer)),
)]
pub(super) async fn evaluate(
    State(app): State<Arc<ReadApp>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ReadError> {
    let caller = admit(&app, &headers).await?;
    let asked = AccessEvaluation::read(&body.map_err(|problem| ReadError::unreadable(&problem))?)?;
    let (seen, decision) = one(&app, &caller, &asked)?;
    Ok(answer(&app, caller.organization(), &seen, decision))
}

/// Decides several questions at once.
///
/// Takes the same headers as a single question.
#[utoipa::path(
    post, path = "/access/v1/evaluations", operation_id = "evaluate_several", tag = "decisions",
    request_body = EvaluationsBody, security(("bearer" = [])),
    responses((status = 200, description = "The decisions, in the order of the request; without items, the one",
        body = Decisions)),
)]
pub(super) async fn evaluate_several(
    State(app): State<Arc<ReadApp>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ReadError> {
    let caller = admit(&app, &headers).await?;
    let (seen, decisions) = match EvaluationsRequest::read(&body.map_err(|problem| ReadError::unreadable(&problem))?)? {
        EvaluationsRequest::One(asked) => {
            let (seen, decision) = one(&app, &caller, &asked)?;
            (seen, Decisions::One(decision))
        }
        EvaluationsRequest::Several(asked) => {
            let (seen, answers) = several(&app, &caller, asked);
            (seen, Decisions::Several(answers))
        }
    };
    Ok(answer(&app, caller.organization(), &seen, decisions))
}

fn one(
    app: &ReadApp,
    caller: &ReadCaller,
    asked: &AccessEvaluation,
) -> Result<(SeenRevisions, AccessAnswer), ReadError> {
    let (decision, heads) = decide(app, caller, asked)?;
    let mut seen = SeenRevisions::default();
    seen.add(heads);
    Ok((seen, AccessAnswer::decided(decision)))
}

/// An item that cannot be decided is a denial; the others are decided.
fn several(app: &ReadApp, caller: &ReadCaller, asked: AccessEvaluations) -> (SeenRevisions, AccessAnswers) {
    let mut seen = SeenRevisions::default();
    let mut evaluations = Vec::with_capacity(asked.items.len());
    for item in asked.items {
        let decided = item.map_err(ReadError::from).and_then(|item| decide(app, caller, &item));
        let answer = match decided {
            Ok((decision, heads)) => {
                seen.add(heads);
                AccessAnswer::decided(decision)
            }
            Err(refusal) => AccessAnswer::refused(refusal.status().as_u16(), refusal.detail().to_owned()),
        };
        let last = asked.semantic.ends_with(answer.decision);
        evaluations.push(answer);
        if last {
            break;
        }
    }
    (seen, AccessAnswers { evaluations })
}
