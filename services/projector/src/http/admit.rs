//! What comes before every answer, and before the body is read: the state that the request asks for, and who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use writ_service::http::InFlight;

use super::caller::Credentials;
use super::error::ReadError;
use super::freshness::{Wish, wait_for};
use crate::app::ReadApp;

/// The credentials of a caller who was known when the request arrived. As the body may take a while, they are checked
/// again in the state that the request is decided from.
#[derive(Debug)]
pub(super) struct Admitted(pub(super) Credentials);

impl FromRequestParts<Arc<ReadApp>> for Admitted {
    type Rejection = ReadError;

    /// Fails with 400, 401, 429 or 503.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<ReadApp>) -> Result<Self, ReadError> {
        let in_flight = InFlight::of(&parts.extensions);
        let credentials = admit(app, &parts.headers, &in_flight).await?;
        in_flight.charge(credentials.organization(), None)?;
        Ok(Self(credentials))
    }
}

/// Waits for what the request wants to see, then authenticates the caller.
///
/// The bearer's own token may be a part of what is waited for, so signed tokens come first. Anybody can write event tokens:
/// they are waited for only if the caller is known, and whose token is still valid afterwards.
async fn admit(app: &ReadApp, headers: &HeaderMap, in_flight: &InFlight) -> Result<Credentials, ReadError> {
    let credentials = Credentials::of(headers, &app.platform)?;
    let wish = Wish::of(app, headers, credentials.organization())?;
    wait_for(app, &wish.states, wish.deadline, in_flight).await?;
    app.index.read(|index| credentials.authenticate(index))?;
    if !wish.events.is_empty() {
        wait_for(app, &wish.events, wish.deadline, in_flight).await?;
        app.index.read(|index| credentials.authenticate(index))?;
    }
    Ok(credentials)
}
