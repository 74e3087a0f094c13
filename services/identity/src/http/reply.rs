//! Successful answers, each with the consistency token of the state it saw.

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use writ_contract::identity_event::Change;
use writ_contract::{OrganizationId, UserId};

use crate::app::App;
use crate::domain::answer::KeptAnswer;
use crate::error::Result;
use crate::store::{PendingRevision, SeenState};

const CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("writ-consistency-token");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with a JSON body.
pub(super) struct Reply<T> {
    status: StatusCode,
    token: String,
    body: T,
}

/// An answer without a body.
pub(super) struct EmptyReply {
    status: StatusCode,
    token: String,
}

impl App {
    /// 200 with a state read just now.
    pub(super) async fn show<T>(&self, organization: OrganizationId, body: T) -> Result<Reply<T>> {
        // Read after the body: the token may be newer than what it stands for, never older.
        let seen = self.store.seen(organization).await?;
        Ok(self.ok(seen, body))
    }

    /// 200.
    pub(super) fn ok<T>(&self, seen: SeenState, body: T) -> Reply<T> {
        Reply { status: StatusCode::OK, token: self.consistency_token(seen), body }
    }

    /// Commits and answers 201. The answer is kept for a repetition of the request, if it may be repeated, as long as
    /// `whose` exists.
    pub(super) async fn create<T: Serialize>(
        &self,
        mut revision: PendingRevision,
        whose: UserId,
        changes: Vec<Change>,
        body: T,
    ) -> Result<Reply<T>> {
        let consistency_token = self.consistency_token(revision.pending());
        let answer = || Ok(KeptAnswer { consistency_token, body: Some(serde_json::to_string(&body)?) });
        revision.keep(whose, answer).await?;
        let seen = revision.commit(changes).await?;
        Ok(self.created(seen, body))
    }

    /// The same without a body.
    pub(super) async fn create_empty(
        &self,
        mut revision: PendingRevision,
        whose: UserId,
        changes: Vec<Change>,
    ) -> Result<EmptyReply> {
        let consistency_token = self.consistency_token(revision.pending());
        revision.keep(whose, || Ok(KeptAnswer { consistency_token, body: None })).await?;
        let seen = revision.commit(changes).await?;
        Ok(EmptyReply { status: StatusCode::CREATED, token: self.consistency_token(seen) })
    }

    /// 201.
    pub(super) fn created<T>(&self, seen: SeenState, body: T) -> Reply<T> {
        Reply { status: StatusCode::CREATED, token: self.consistency_token(seen), body }
    }

    /// 204.
    pub(super) fn no_content(&self, seen: SeenState) -> EmptyReply {
        EmptyReply { status: StatusCode::NO_CONTENT, token: self.consistency_token(seen) }
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        (self.status, [(CONSISTENCY_TOKEN, self.token)], Json(self.body)).into_response()
    }
}

impl IntoResponse for KeptAnswer {
    fn into_response(self) -> Response {
        let token = [(CONSISTENCY_TOKEN, self.consistency_token)];
        match self.body {
            Some(body) => (StatusCode::CREATED, token, [(CONTENT_TYPE, JSON)], body).into_response(),
            None => (StatusCode::CREATED, token).into_response(),
        }
    }
}

impl IntoResponse for EmptyReply {
    fn into_response(self) -> Response {
        (self.status, [(CONSISTENCY_TOKEN, self.token)]).into_response()
    }
}
