//! Answers, each with the consistency token of the state it saw.

use axum::Json;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use writ_contract::OrganizationId;

use crate::app::App;
use crate::error::Result;
use crate::store::SeenState;

const CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("writ-consistency-token");

/// An answer with a JSON body.
pub(super) struct Answer<T> {
    status: StatusCode,
    token: String,
    body: T,
}

/// An answer without a body.
pub(super) struct Empty {
    status: StatusCode,
    token: String,
}

impl App {
    /// 200, of a state that was read just now.
    pub(super) async fn read<T>(&self, organization: OrganizationId, body: T) -> Result<Answer<T>> {
        // Read after the body: the token may be newer than what it stands for, never older.
        let seen = self.store.seen(organization).await?;
        Ok(self.ok(seen, body))
    }

    /// 200.
    pub(super) fn ok<T>(&self, seen: SeenState, body: T) -> Answer<T> {
        Answer { status: StatusCode::OK, token: self.consistency_token(seen), body }
    }

    /// 201.
    pub(super) fn created<T>(&self, seen: SeenState, body: T) -> Answer<T> {
        Answer { status: StatusCode::CREATED, token: self.consistency_token(seen), body }
    }

    /// 201 without a body.
    pub(super) fn created_empty(&self, seen: SeenState) -> Empty {
        Empty { status: StatusCode::CREATED, token: self.consistency_token(seen) }
    }

    /// 204.
    pub(super) fn gone(&self, seen: SeenState) -> Empty {
        Empty { status: StatusCode::NO_CONTENT, token: self.consistency_token(seen) }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        (self.status, [(CONSISTENCY_TOKEN, self.token)], Json(self.body)).into_response()
    }
}

impl IntoResponse for Empty {
    fn into_response(self) -> Response {
        (self.status, [(CONSISTENCY_TOKEN, self.token)]).into_response()
    }
}
