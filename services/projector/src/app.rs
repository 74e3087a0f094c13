//! What every request needs.

use sqlx::PgPool;
use writ_chains::SharedIndex;
use writ_contract::Region;
use writ_tokens::ConsistencyKey;

use crate::decisions::DecisionRecorder;
use crate::freshness::Freshness;
use crate::platform_tokens::PlatformTokens;
use crate::settings::WaitTimes;

/// What every request to the read API needs.
pub struct ReadApp {
    /// This region.
    pub region: Region,
    /// All regions.
    pub regions: Vec<Region>,
    /// Base URL of this service for clients, without a trailing slash.
    pub public_url: String,
    /// The policies of all regions.
    pub index: SharedIndex,
    /// Waiting readers.
    pub freshness: Freshness,
    /// How long reads wait.
    pub wait_times: WaitTimes,
    /// The database `read_model`, for the outcomes of entity events.
    pub pool: PgPool,
    /// Authenticates consistency tokens.
    pub consistency_key: ConsistencyKey,
    /// The platform services.
    pub platform: PlatformTokens,
    /// Sends decisions to audit.
    pub recorder: DecisionRecorder,
}
