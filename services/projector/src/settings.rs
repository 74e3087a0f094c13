//! The projector's own settings.

use std::time::Duration;

use serde::Deserialize;
use writ_contract::Hash;
use writ_service::config::{BaseUrl, list, parsed};
use writ_service::{ConfigError, DatabaseUrl, Required, ServiceSettings};
use writ_tokens::ConsistencyKey;

use crate::freshness::Limits;
use crate::http::{PlatformTokens, Waiting};

/// As they are configured.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// `WRIT_DATABASE_URL`: the read model's database.
    pub database_url: DatabaseUrl,
    /// `WRIT_CONSISTENCY_KEY`: authenticates consistency tokens; hex, at least 32 bytes.
    #[serde(deserialize_with = "parsed")]
    pub consistency_key: ConsistencyKey,
    /// `WRIT_PLATFORM_TOKEN_HASHES`: SHA-256 of the tokens of platform services; hex, comma-separated.
    #[serde(deserialize_with = "list", default)]
    platform_token_hashes: Vec<Hash>,
    /// `WRIT_PUBLIC_URL`: this service as clients reach it.
    public_url: Option<BaseUrl>,
    /// `WRIT_FRESHNESS_WAIT_SECONDS`: how long a read waits for the state it asks for.
    #[serde(deserialize_with = "parsed")]
    freshness_wait_seconds: f64,
    /// `WRIT_FRESHNESS_MAX_WAIT_SECONDS`: how long it may ask to wait.
    #[serde(deserialize_with = "parsed")]
    freshness_max_wait_seconds: f64,
    /// `WRIT_FRESHNESS_WAITERS_PER_ORGANIZATION`: so many reads of an organization wait at a time.
    #[serde(deserialize_with = "parsed")]
    freshness_waiters_per_organization: usize,
    /// `WRIT_FRESHNESS_WAITERS`: so many reads wait at a time.
    #[serde(deserialize_with = "parsed")]
    freshness_waiters: usize,
}

impl ServiceSettings for Settings {
    const REQUIRED: Required = &[
        ("database_url", "postgres://projector@127.0.0.1:15432/read_model"),
        ("consistency_key", "0000000000000000000000000000000000000000000000000000000000000000"),
    ];
}

impl Settings {
    /// The platform services that may ask about any organization.
    pub fn platform_tokens(&self) -> PlatformTokens {
        PlatformTokens::new(self.platform_token_hashes.clone())
    }

    /// How long reads wait.
    ///
    /// # Errors
    /// When a time is negative, or the default is longer than the maximum.
    pub fn waiting(&self) -> Result<Waiting, ConfigError> {
        let seconds = |name, value| {
            Duration::try_from_secs_f64(value).map_err(|_| ConfigError::invalid(name, "not a number of seconds"))
        };
        let usual = seconds("freshness_wait_seconds", self.freshness_wait_seconds)?;
        let longest = seconds("freshness_max_wait_seconds", self.freshness_max_wait_seconds)?;
        if usual > longest {
            let reason = "longer than WRIT_FRESHNESS_MAX_WAIT_SECONDS";
            return Err(ConfigError::invalid("freshness_wait_seconds", reason));
        }
        Ok(Waiting { usual, longest })
    }

    /// How many reads wait.
    pub fn limits(&self) -> Limits {
        Limits { per_organization: self.freshness_waiters_per_organization, total: self.freshness_waiters }
    }

    /// The address clients use; without one, that of the listener.
    pub fn public_url(&self, listen: std::net::SocketAddr) -> String {
        self.public_url.as_ref().map_or_else(|| format!("http://{listen}"), |url| url.as_str().to_owned())
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
