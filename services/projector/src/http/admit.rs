//! What comes before every answer: the state that the request asks for, and who asks.

use axum::http::HeaderMap;

use super::caller::{Credentials, ReadCaller};
use super::error::ReadError;
use super::freshness::{Wish, wait_for};
use crate::app::ReadApp;

/// Waits for what the request wants to see, then authenticates the caller.
///
/// The bearer's own token may be a part of what is waited for, so signed tokens come first. Anybody can write event tokens:
/// they are waited for only if the caller is known, and whose token is still valid afterwards.
///
/// # Errors
/// 400, 401, 429 or 503.
pub(super) async fn admit(app: &ReadApp, headers: &HeaderMap) -> Result<ReadCaller, ReadError> {
    let credentials = Credentials::of(headers, &app.platform)?;
    let wish = Wish::of(app, headers, credentials.organization())?;
    wait_for(app, &wish.states, wish.deadline).await?;
    let caller = app.index.read(|index| credentials.authenticate(index))?;
    if wish.events.is_empty() {
        return Ok(caller);
    }
    wait_for(app, &wish.events, wish.deadline).await?;
    app.index.read(|index| credentials.authenticate(index))
}
