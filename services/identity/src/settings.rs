//! IdentitySettings of this service alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use writ_contract::Region;
use writ_service::config::{Common, ConfigError, map, parsed};
use writ_service::{BaseUrl, DatabaseUrl, Required, ServiceSettings};
use writ_tokens::{ConsistencyKey, hash_of};

use crate::app::Platform;

/// Minimum length of the operator's token.
const SHORTEST_OPERATOR_TOKEN: usize = 32;

/// IdentitySettings of identity, besides those of every service.
#[derive(Debug, Deserialize)]
pub struct IdentitySettings {
    /// `WRIT_LISTEN`: address and port of the management API.
    pub listen: SocketAddr,
    /// `WRIT_DATABASE_URL`: the system of record's database.
    pub database_url: DatabaseUrl,
    /// `WRIT_OPERATOR_TOKEN`: bearer token of the platform's operator.
    pub operator_token: SecretString,
    /// `WRIT_CONSISTENCY_KEY`: what all regions authenticate consistency tokens with; at least 32
    /// bytes in hexadecimal.
    pub consistency_key: SecretString,
    /// `WRIT_IDENTITY_URLS`: where clients reach identity, by region: `us=http://…,eu=http://…`.
    #[serde(deserialize_with = "map")]
    pub identity_urls: BTreeMap<Region, BaseUrl>,
    /// `WRIT_MAX_OUTBOX`: records that may wait for Kafka; beyond them changes are refused.
    #[serde(deserialize_with = "parsed")]
    pub max_outbox: u64,
}

impl ServiceSettings for IdentitySettings {
    const REQUIRED: Required = &[
        ("listen", "127.0.0.1:18081"),
        ("database_url", "postgres://identity@127.0.0.1:15432/identity"),
        ("operator_token", "a token of at least 32 characters"),
        ("consistency_key", "0000000000000000000000000000000000000000000000000000000000000000"),
        ("identity_urls", "us=http://127.0.0.1:18081"),
    ];
}

impl IdentitySettings {
    /// The platform these settings describe.
    ///
    /// # Errors
    /// When a setting is invalid; the error names its variable.
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

#[cfg(test)]
mod tests {
    use writ_service::config::load_from;

    use super::*;

    fn platform_with(name: &str, value: &str) -> Result<Platform, ConfigError> {
        let defaults = [
            ("WRIT_REGION", "us"),
            ("WRIT_REGIONS", "us,eu"),
            ("WRIT_KAFKA_BROKERS", "127.0.0.1:19092"),
            ("WRIT_DATABASE_URL", "postgres://identity@127.0.0.1:15432/identity"),
            ("WRIT_LISTEN", "127.0.0.1:18081"),
            ("WRIT_OPERATIONS_LISTEN", "127.0.0.1:18091"),
            ("WRIT_OPERATOR_TOKEN", "an-operator-token-of-enough-characters"),
            ("WRIT_CONSISTENCY_KEY", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"),
            ("WRIT_IDENTITY_URLS", "us=http://127.0.0.1:18081,eu=http://127.0.0.1:28081"),
        ];
        let kept = defaults.into_iter().filter(|(known, _)| *known != name);
        let variables = kept.chain([(name, value)]).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (common, settings) = load_from::<IdentitySettings>(variables)?;
        settings.platform(&common)
    }

    #[test]
    fn good_settings_are_taken() {
        let platform = platform_with("WRIT_REGION", "eu").unwrap();
        assert_eq!((platform.regions.len(), platform.homes.len()), (2, 2));
        assert_eq!(platform.operator, hash_of("an-operator-token-of-enough-characters"));
    }

    #[test]
    fn each_wrong_setting_is_named_and_not_repeated() {
        for (name, value) in [
            ("WRIT_OPERATOR_TOKEN", ""),
            ("WRIT_OPERATOR_TOKEN", "quite-short"),
            ("WRIT_CONSISTENCY_KEY", "not-hexadecimal"),
            ("WRIT_CONSISTENCY_KEY", "5a5a5a"),
            ("WRIT_IDENTITY_URLS", "us=http://127.0.0.1:18081"),
            ("WRIT_IDENTITY_URLS", ""),
        ] {
            let error = platform_with(name, value).err().unwrap();
            assert_eq!(error.variable(), name);
            assert!(value.is_empty() || !error.to_string().contains(value), "{error}");
        }
    }
}
