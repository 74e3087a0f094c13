//! Settings of this service alone.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use writ_contract::Region;
use writ_service::BaseUrl;
use writ_service::config::{Common, ConfigError, map};
use writ_tokens::{ConsistencyKey, hash_of};

use crate::app::Platform;

/// Characters of the operator's token at least.
const SHORTEST_OPERATOR_TOKEN: usize = 32;

/// What identity needs besides what every service needs.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// `WRIT_OPERATOR_TOKEN`: bearer token of the platform's operator.
    pub operator_token: SecretString,
    /// `WRIT_CONSISTENCY_KEY`: what all regions authenticate consistency tokens with; at least 32
    /// bytes in hexadecimal.
    pub consistency_key: SecretString,
    /// `WRIT_IDENTITY_URLS`: where clients reach identity, by region: `us=http://…,eu=http://…`.
    #[serde(deserialize_with = "map")]
    pub identity_urls: BTreeMap<Region, BaseUrl>,
}

impl Settings {
    /// What identity has to know of the platform.
    ///
    /// # Errors
    /// When a setting does not do; names its variable.
    pub fn platform(&self, common: &Common) -> Result<Platform, ConfigError> {
        if self.operator_token.expose_secret().len() < SHORTEST_OPERATOR_TOKEN {
            return Err(ConfigError::invalid("operator_token", "shorter than 32 characters"));
        }
        let key = self.consistency_key.expose_secret().parse::<ConsistencyKey>();
        if let Some(region) = common.regions.iter().find(|region| !self.identity_urls.contains_key(region)) {
            return Err(ConfigError::invalid("identity_urls", format!("no address for region {region}")));
        }
        Ok(Platform {
            regions: common.regions.clone(),
            homes: self.identity_urls.clone(),
            operator: hash_of(self.operator_token.expose_secret()),
            consistency: key.map_err(|error| ConfigError::invalid("consistency_key", error.to_string()))?,
        })
    }
}
