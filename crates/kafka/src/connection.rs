//! Address and credentials of a region's Kafka cluster.

use std::path::PathBuf;

use rdkafka::ClientConfig;
use secrecy::{ExposeSecret, SecretString};

/// SASL mechanism of every principal. The broker stores only salted hashes of passwords.
pub const MECHANISM: &str = "SCRAM-SHA-512";

/// Address and credentials of a region's Kafka cluster.
#[derive(Debug, Clone)]
pub struct Connection {
    brokers: String,
    login: Option<Login>,
}

/// Our credentials, and the certificates that we trust the brokers by.
#[derive(Debug, Clone)]
pub struct Login {
    /// Name of the principal, such as `identity`.
    pub username: String,
    /// Password of the principal.
    pub password: SecretString,
    /// PEM file with the certificate authorities that sign the brokers' certificates.
    pub ca: PathBuf,
}

impl Connection {
    /// TLS to `brokers` (`host:port`, comma-separated), authenticated with `login`.
    pub fn new(brokers: impl Into<String>, login: Login) -> Self {
        Self { brokers: brokers.into(), login: Some(login) }
    }

    /// An unauthenticated, unencrypted listener, for networks that can be trusted.
    pub fn plaintext(brokers: impl Into<String>) -> Self {
        Self { brokers: brokers.into(), login: None }
    }

    /// `host:port` of the brokers, comma-separated.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Our credentials, or `None` for an unauthenticated listener.
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Settings that every client starts from. No client creates a topic by asking for it.
    pub fn client_config(&self, client_id: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", client_id)
            .set("allow.auto.create.topics", "false")
            // Once no broker answers, librdkafka would by default forget all of them and begin again, which races with requests
            // under way (confluentinc/librdkafka#5600). Ours have names that stay: they are resolved at each attempt.
            .set("metadata.recovery.strategy", "none");
        if let Some(login) = &self.login {
            login.set(&mut config);
        }
        config
    }
}

impl Login {
    fn set(&self, config: &mut ClientConfig) {
        config
            .set("security.protocol", "sasl_ssl")
            .set("sasl.mechanism", MECHANISM)
            .set("sasl.username", &self.username)
            .set("sasl.password", self.password.expose_secret())
            .set("ssl.ca.location", self.ca.display().to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login { username: "audit".to_owned(), password: "hush".into(), ca: "/tls/ca.pem".into() }
    }

    #[test]
    fn a_login_is_never_sent_in_the_clear() {
        let config = Connection::new("us:9092", login()).client_config("test");
        assert_eq!(config.get("security.protocol"), Some("sasl_ssl"));
        assert_eq!(config.get("sasl.username"), Some("audit"));
        assert_eq!(config.get("ssl.ca.location"), Some("/tls/ca.pem"));
        assert_eq!(Connection::plaintext("us:9092").client_config("test").get("sasl.username"), None);
    }

    #[test]
    fn the_password_is_not_shown() {
        assert!(!format!("{:?}", Connection::new("us:9092", login())).contains("hush"));
    }
}
