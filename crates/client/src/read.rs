//! The read API of one region (`services/projector`).

use serde_json::{Value, json};
use writ_contract::UserId;

use crate::caller::CallerSpan;
use crate::response::{ApiResponse, ClientError};

/// The read API of one region.
#[derive(Debug, Clone)]
pub struct ReadApi {
    http: reqwest::Client,
    base: String,
    traceparent: Option<String>,
}

/// May this user do this to that entity?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The user's id.
    pub user: UserId,
    /// An action of the catalogue, such as `view`.
    pub action: &'a str,
    /// Key of the entity type, such as `control_planes`.
    pub resource_type: &'a str,
    /// The entity's id.
    pub resource: &'a str,
}

impl Question<'_> {
    /// The question as AuthZEN has it.
    pub fn body(&self) -> Value {
        json!({
            "subject": {"type": "user", "id": self.user},
            "action": {"name": self.action},
            "resource": {"type": self.resource_type, "id": self.resource},
        })
    }
}

impl ReadApi {
    /// The API at `base`, such as `http://127.0.0.1:28082`.
    pub fn new(http: reqwest::Client, base: &str) -> Self {
        Self { http, base: base.trim_end_matches('/').to_owned(), traceparent: None }
    }

    /// The same API, for requests that are part of a caller's trace.
    #[must_use]
    pub fn within(&self, span: &CallerSpan) -> Self {
        Self { traceparent: Some(span.traceparent()), ..self.clone() }
    }

    /// Asks; `at_least` is what must have arrived before the answer (`Writ-At-Least-As-Fresh`).
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn evaluate(
        &self,
        bearer: &str,
        question: Question<'_>,
        at_least: Option<&str>,
    ) -> Result<ApiResponse, ClientError> {
        self.post("/access/v1/evaluation", bearer, &question.body(), at_least).await
    }

    /// Posts any body to any path.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn post(
        &self,
        path: &str,
        bearer: &str,
        body: &Value,
        at_least: Option<&str>,
    ) -> Result<ApiResponse, ClientError> {
        let mut request = self.http.post(format!("{}{path}", self.base)).bearer_auth(bearer).json(body);
        if let Some(token) = at_least {
            request = request.header("writ-at-least-as-fresh", token).header("prefer", "wait=10");
        }
        if let Some(traceparent) = &self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        Ok(ApiResponse::of(request.send().await?).await?)
    }
}
