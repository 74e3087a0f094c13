//! The settings of the projector.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use writ_contract::Hash;
use writ_policy::Limits;
use writ_service::config::{BaseUrl, list, parsed};
use writ_service::{ConfigError, DatabaseUrl, Required, ServiceSettings};
use writ_tokens::ConsistencyKey;

use crate::freshness::WaiterLimits;
use crate::platform_tokens::PlatformTokens;

/// Settings besides those of every service.
#[derive(Debug, Clone, Deserialize)]
pub struct ProjectorSettings {
    /// `WRIT_LISTEN`: address and port of the read API.
    pub listen: SocketAddr,
    /// `WRIT_DATABASE_URL`: the database `read_model`.
    pub database_url: DatabaseUrl,
    /// `WRIT_CONSISTENCY_KEY`: authenticates consistency tokens; hex, at least 32 bytes.
    #[serde(deserialize_with = "parsed")]
    pub consistency_key: ConsistencyKey,
    /// `WRIT_PLATFORM_TOKEN_HASHES`: SHA-256 of the tokens of platform services; hex, comma-separated.
    #[serde(deserialize_with = "list", default)]
    platform_token_hashes: Vec<Hash>,
    /// `WRIT_PUBLIC_URL`: base URL of this service for clients.
    public_url: Option<BaseUrl>,
    /// `WRIT_FRESHNESS_WAIT_SECONDS`: how long a read waits by default for the state it asks for.
    #[serde(deserialize_with = "parsed")]
    freshness_wait_seconds: f64,
    /// `WRIT_FRESHNESS_MAX_WAIT_SECONDS`: how long a read may ask to wait.
    #[serde(deserialize_with = "parsed")]
    freshness_max_wait_seconds: f64,
    /// `WRIT_FRESHNESS_WAITERS_PER_ORGANIZATION`: maximum number of waiting reads of an organization.
    #[serde(deserialize_with = "parsed")]
    freshness_waiters_per_organization: usize,
    /// `WRIT_FRESHNESS_WAITERS`: maximum number of waiting reads.
    #[serde(deserialize_with = "parsed")]
    freshness_waiters: usize,
    /// `WRIT_MAX_CHAINS_PER_ORIGIN`: maximum number of chains that come from one region.
    #[serde(deserialize_with = "parsed")]
    max_chains_per_origin: usize,
    /// `WRIT_MAX_ROWS_PER_ORIGIN`: maximum number of rows on them.
    #[serde(deserialize_with = "parsed")]
    max_rows_per_origin: usize,
    /// `WRIT_MAX_ROWS_PER_CHAIN`: maximum number of rows on one of them.
    #[serde(deserialize_with = "parsed")]
    max_rows_per_chain: usize,
}

/// How long reads wait for the state they ask for.
#[derive(Debug, Clone, Copy)]
pub struct WaitTimes {
    /// If a read asks for no other time.
    pub default: Duration,
    /// At most.
    pub max: Duration,
}

impl ServiceSettings for ProjectorSettings {
    const REQUIRED: Required = &[
        ("listen", "127.0.0.1:18082"),
        ("database_url", "postgres://projector@127.0.0.1:15432/read_model"),
        ("consistency_key", "0000000000000000000000000000000000000000000000000000000000000000"),
    ];
}

impl ProjectorSettings {
    /// The platform services that may ask about any organization.
    pub fn platform_tokens(&self) -> PlatformTokens {
        PlatformTokens::new(self.platform_token_hashes.clone())
    }

    /// What one region may put on its chains.
    pub fn limits(&self) -> Limits {
        Limits {
            chains: self.max_chains_per_origin,
            rows: self.max_rows_per_origin,
            rows_per_chain: self.max_rows_per_chain,
            ..Limits::default()
        }
    }

    /// How long reads wait.
    ///
    /// # Errors
    /// If a time is negative, or the default is longer than the maximum.
    pub fn wait_times(&self) -> Result<WaitTimes, ConfigError> {
        let seconds = |name, value| {
            Duration::try_from_secs_f64(value).map_err(|_| ConfigError::invalid(name, "not a number of seconds"))
        };
        let default = seconds("freshness_wait_seconds", self.freshness_wait_seconds)?;
        let max = seconds("freshness_max_wait_seconds", self.freshness_max_wait_seconds)?;
        if default > max {
            let reason = "longer than WRIT_FRESHNESS_MAX_WAIT_SECONDS";
            return Err(ConfigError::invalid("freshness_wait_seconds", reason));
        }
        Ok(WaitTimes { default, max })
    }

    /// How many reads may wait.
    pub fn waiter_limits(&self) -> WaiterLimits {
        WaiterLimits { per_organization: self.freshness_waiters_per_organization, total: self.freshness_waiters }
    }

    /// Base URL of this service for clients; that of the listener unless one is set.
    pub fn public_url(&self) -> String {
        self.public_url.as_ref().map_or_else(|| format!("http://{}", self.listen), |url| url.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests;
