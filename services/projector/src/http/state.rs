//! What the handlers share.

use std::ops::Deref;
use std::sync::Arc;

use axum::http::HeaderMap;
use sqlx::PgPool;
use writ_contract::Region;
use writ_tokens::ConsistencyKey;

use super::caller::{Caller, Credentials, PlatformTokens};
use super::freshness::Waiting;
use super::refusal::Refusal;
use crate::decisions::Recorder;
use crate::freshness::Freshness;
use crate::index::SharedIndex;

/// What the handlers work with.
pub struct Parts {
    /// This region.
    pub region: Region,
    /// All regions there are.
    pub regions: Vec<Region>,
    /// This service as clients reach it, without a slash at its end.
    pub public_url: String,
    /// What is in force.
    pub index: SharedIndex,
    /// Who waits.
    pub freshness: Freshness,
    /// How long reads wait.
    pub waiting: Waiting,
    /// The database `read_model`, for events by name.
    pub pool: PgPool,
    /// Authenticates consistency tokens.
    pub consistency_key: ConsistencyKey,
    /// Platform services.
    pub platform: PlatformTokens,
    /// Takes decisions for audit.
    pub recorder: Recorder,
}

/// Shared by all handlers. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Parts>);

impl Api {
    /// The API over its parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Waits for what the request wants to see, then finds out who asks.
    ///
    /// The bearer's own token may be a part of what is waited for, so signed tokens come first.
    /// Event tokens anybody can write: they are waited for only for somebody who is known, and
    /// whose token is still in force afterwards.
    ///
    /// # Errors
    /// 400, 401, 429 or 503.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let credentials = Credentials::of(headers, &self.platform)?;
        let wish = self.wish(headers, credentials.organization())?;
        self.wait_for(&wish.states, wish.deadline()).await?;
        let caller = self.index.read(|index| credentials.authenticate(index))??;
        if wish.events.is_empty() {
            return Ok(caller);
        }
        self.wait_for(&wish.events, wish.deadline()).await?;
        self.index.read(|index| credentials.authenticate(index))?
    }
}

impl Deref for Api {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
