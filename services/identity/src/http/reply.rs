//! Successful answers, each with the consistency token of the state it saw.

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

    /// 201.
    pub(super) fn created<T>(&self, seen: SeenState, body: T) -> Reply<T> {
        Reply { status: StatusCode::CREATED, token: self.consistency_token(seen), body }
    }

    /// 201 without a body.
    pub(super) fn created_empty(&self, seen: SeenState) -> EmptyReply {
        EmptyReply { status: StatusCode::CREATED, token: self.consistency_token(seen) }
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

impl IntoResponse for EmptyReply {
    fn into_response(self) -> Response {
        (self.status, [(CONSISTENCY_TOKEN, self.token)]).into_response()
    }
}
