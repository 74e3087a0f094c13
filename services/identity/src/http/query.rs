//! The query string of a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::domain::query::Query;
use crate::domain::{Invalid, Source};
use crate::error::{Error, Result};

/// The decoded query string of a request.
pub(super) struct Parameters(pub(super) Query);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(pairs)) => Ok(Self(Query::of(pairs))),
            Err(_) => Err(Invalid::one(Source::Query, "query", "request format is invalid", "invalid").into()),
        }
    }
}
