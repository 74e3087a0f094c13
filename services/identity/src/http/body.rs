//! The body of a request.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde_json::Value;
use writ_service::Json;

use crate::domain::Invalid;
use crate::error::Error;

/// A JSON body, whatever it holds.
pub(super) struct Body(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(problem) if problem.status() == StatusCode::BAD_REQUEST => Err(Invalid::body().into()),
            Err(problem) => Err(Error::Refused(problem)),
        }
    }
}
