//! Ids in the path.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use uuid::Uuid;

use crate::domain::{Invalid, Source};
use crate::error::{Error, Result};

/// The ids in the path of a request.
pub(super) struct Ids(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match RawPathParams::from_request_parts(parts, state).await {
            Ok(params) => Ok(Self(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())),
            Err(_) => Err(Invalid::one(Source::Path, "path", "must be UTF-8", "invalid").into()),
        }
    }
}

impl Ids {
    /// The id that the route calls `name`.
    pub(super) fn id(&self, name: &str) -> Result<Uuid> {
        let text = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let id = text.and_then(|text| Uuid::try_parse(text).ok());
        id.ok_or_else(|| Invalid::one(Source::Path, shown(name), "invalid ID format", "is_uuid").into())
    }
}

/// Konnect writes `teamId` in paths and `teamID` in errors.
fn shown(name: &str) -> String {
    match name.strip_suffix("Id") {
        Some(resource) => format!("{resource}ID"),
        None => name.to_owned(),
    }
}
