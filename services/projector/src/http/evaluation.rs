//! `POST /access/v1/evaluation` and `/access/v1/evaluations`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::Seen;
use super::body::Body;
use super::caller::Caller;
use super::freshness::Fresh;
use super::refusal::Refusal;
use super::state::Api;
use crate::authzen::{Answer, Answers, Evaluation, Evaluations, Request};

/// Decides whether a subject may do something.
#[utoipa::path(
    post, path = "/access/v1/evaluation", tag = "decisions",
    params(Fresh),
    request_body(content = Value, description = "AuthZEN 1.0 access evaluation request", example = json!({
        "subject": {"type": "user", "id": "0198a3c2-6f0e-7d19-8c55-0a3f5e0d7b11"},
        "action": {"name": "view"},
        "resource": {"type": "control_planes", "id": "cp-eu-1"},
    })),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The decision; a denial is one, too", body = Answer),
        (status = 400, description = "Malformed request or consistency token", body = String),
        (status = 401, description = "No bearer token in force", body = String),
        (status = 403, description = "The caller may only ask about itself", body = String),
        (status = 429, description = "Too many requests wait for a newer state", body = String),
        (status = 503, description = "The state asked for is not here yet", body = String),
    ),
)]
pub(super) async fn evaluate(State(api): State<Api>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let caller = api.admit(&headers).await?;
    let asked = Evaluation::read(&body?.0)?;
    one(&api, &caller, &asked)
}

/// Decides several questions at once.
#[utoipa::path(
    post, path = "/access/v1/evaluations", tag = "decisions",
    params(Fresh),
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
        (status = 200, description = "The decisions, in the order of the request", body = Answers),
        (status = 400, description = "Malformed request or consistency token", body = String),
        (status = 401, description = "No bearer token in force", body = String),
        (status = 429, description = "Too many requests wait for a newer state", body = String),
        (status = 503, description = "The state asked for is not here yet", body = String),
    ),
)]
pub(super) async fn evaluate_several(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let caller = api.admit(&headers).await?;
    match Request::read(&body?.0)? {
        Request::One(asked) => one(&api, &caller, &asked),
        Request::Several(asked) => Ok(several(&api, &caller, asked)),
    }
}

fn one(api: &Api, caller: &Caller, asked: &Evaluation) -> Result<Response, Refusal> {
    let (decision, heads) = api.decide(caller, asked)?;
    let mut seen = Seen::default();
    seen.add(heads);
    Ok(api.answer(caller.organization(), &seen, Answer::decided(decision)))
}

/// An item that cannot be decided is a denial; the others are decided.
fn several(api: &Api, caller: &Caller, asked: Evaluations) -> Response {
    let mut seen = Seen::default();
    let mut evaluations = Vec::with_capacity(asked.items.len());
    for item in asked.items {
        let decided = item.map_err(Refusal::from).and_then(|item| api.decide(caller, &item));
        let answer = match decided {
            Ok((decision, heads)) => {
                seen.add(heads);
                Answer::decided(decision)
            }
            Err(refusal) => Answer::refused(refusal.status().as_u16(), refusal.detail().to_owned()),
        };
        let last = asked.semantic.ends_with(answer.decision);
        evaluations.push(answer);
        if last {
            break;
        }
    }
    api.answer(caller.organization(), &seen, Answers { evaluations })
}
