//! `POST /access/v1/evaluation` and `/access/v1/evaluations`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::admit::admit;
use super::answer::{SeenRevisions, answer};
use super::body::EvaluationBody;
use super::caller::ReadCaller;
use super::decide::decide;
use super::error::ReadError;
use super::freshness::FreshnessHeaders;
use crate::app::ReadApp;
use crate::authzen::{AccessAnswer, AccessAnswers, AccessEvaluation, AccessEvaluations, EvaluationsRequest};

/// Decides whether a subject may do something.
#[utoipa::path(
    post, path = "/access/v1/evaluation", tag = "decisions",
    params(FreshnessHeaders),
    request_body(content = Value, description = "AuthZEN 1.0 access evaluation request", example = json!({
        "subject": {"type": "user", "id": "0198a3c2-6f0e-7d19-8c55-0a3f5e0d7b11"},
        "action": {"name": "view"},
        "resource": {"type": "control_planes", "id": "cp-eu-1"},
    })),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The decision: allow or deny", body = AccessAnswer),
        (status = 400, description = "Malformed request or consistency token", body = String),
        (status = 401, description = "No valid bearer token", body = String),
        (status = 403, description = "The caller may only ask about itself", body = String),
        (status = 429, description = "Too many requests wait for a newer state", body = String),
        (status = 503, description = "The state asked for is not here yet", body = String),
    ),
)]
pub(super) async fn evaluate(
    State(app): State<Arc<ReadApp>>,
    headers: HeaderMap,
    body: Result<EvaluationBody, ReadError>,
) -> Result<Response, ReadError> {
    let caller = admit(&app, &headers).await?;
    let asked = AccessEvaluation::read(&body?.0)?;
    one(&app, &caller, &asked)
}

/// Decides several questions at once.
#[utoipa::path(
    post, path = "/access/v1/evaluations", tag = "decisions",
    params(FreshnessHeaders),
    request_body(content = Value, description = "AuthZEN 1.0 access evaluations request", example = json!({
        "subject": {"type": "user", "id": "0198a3c2-6f0e-7d19-8c55-0a3f5e0d7b11"},
        "action": {"name": "view"},
        "evaluations": [
            {"resource": {"type": "control_planes", "id": "cp-eu-1"}},
            {"resource": {"type": "control_planes", "id": "cp-eu-2"}, "action": {"name": "edit"}},
        ],
        "options": {"evaluations_semantic": "execute_all"},
    })),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The decisions, in the order of the request", body = AccessAnswers),
        (status = 400, description = "Malformed request or consistency token", body = String),
        (status = 401, description = "No valid bearer token", body = String),
        (status = 429, description = "Too many requests wait for a newer state", body = String),
        (status = 503, description = "The state asked for is not here yet", body = String),
    ),
)]
pub(super) async fn evaluate_several(
    State(app): State<Arc<ReadApp>>,
    headers: HeaderMap,
    body: Result<EvaluationBody, ReadError>,
) -> Result<Response, ReadError> {
    let caller = admit(&app, &headers).await?;
    match EvaluationsRequest::read(&body?.0)? {
        EvaluationsRequest::One(asked) => one(&app, &caller, &asked),
        EvaluationsRequest::Several(asked) => Ok(several(&app, &caller, asked)),
    }
}

fn one(app: &ReadApp, caller: &ReadCaller, asked: &AccessEvaluation) -> Result<Response, ReadError> {
    let (decision, heads) = decide(app, caller, asked)?;
    let mut seen = SeenRevisions::default();
    seen.add(heads);
    Ok(answer(app, caller.organization(), &seen, AccessAnswer::decided(decision)))
}

/// An item that cannot be decided is a denial; the others are decided.
fn several(app: &ReadApp, caller: &ReadCaller, asked: AccessEvaluations) -> Response {
    let mut seen = SeenRevisions::default();
    let mut evaluations = Vec::with_capacity(asked.items.len());
    for item in asked.items {
        let decided = item.map_err(ReadError::from).and_then(|item| decide(app, caller, &item));
        let evaluation = match decided {
            Ok((decision, heads)) => {
                seen.add(heads);
                AccessAnswer::decided(decision)
            }
            Err(error) => AccessAnswer::refused(error.status().as_u16(), error.detail().to_owned()),
        };
        let last = asked.semantic.ends_with(evaluation.decision);
        evaluations.push(evaluation);
        if last {
            break;
        }
    }
    answer(app, caller.organization(), &seen, AccessAnswers { evaluations })
}
