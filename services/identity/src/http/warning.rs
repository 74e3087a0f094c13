//! `Writ-Warning`: what an administrator should know while something can still be done.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Result;
use crate::app::App;
use crate::domain::access::{Access, WARNED_BEFORE};
use crate::store::callers::TokenHolder;

/// The header's name.
pub(super) const WRIT_WARNING: HeaderName = HeaderName::from_static("writ-warning");

/// Where the authentication of a request leaves its warning for the answer.
#[derive(Debug, Clone, Default)]
struct Warning(Arc<OnceLock<HeaderValue>>);

/// Adds the warning to the answer, if there is one.
pub(super) async fn add(mut request: Request, next: Next) -> Response {
    let warning = Warning::default();
    request.extensions_mut().insert(warning.clone());
    let mut response = next.run(request).await;
    if let Some(value) = warning.0.get() {
        response.headers_mut().insert(WRIT_WARNING, value.clone());
    }
    response
}

/// Warns an administrator when the last token of the organization's administrators is about to expire. Nothing is looked
/// up while the administrator's own token lives on.
pub(super) async fn of_the_last_token(parts: &Parts, app: &App, holder: &TokenHolder) -> Result<()> {
    let now = OffsetDateTime::now_utc();
    if !holder.administrator || holder.expires_at > now + WARNED_BEFORE {
        return Ok(());
    }
    let until = app.store.accessible_until(holder.organization).await?;
    let Access::Ending(until) = Access::at(until, now) else { return Ok(()) };
    let value = until
        .format(&Rfc3339)
        .ok()
        .and_then(|until| HeaderValue::try_from(format!("administrator-tokens-expire; last=\"{until}\"")).ok());
    if let (Some(warning), Some(value)) = (parts.extensions.get::<Warning>(), value) {
        // Set once: a request is authenticated once.
        let _ = warning.0.set(value);
    }
    Ok(())
}
