//! Settings of a broker, from the files in `infra/kafka`.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

const SETTINGS: &str = include_str!("../../../../../infra/kafka/server.properties");
const SECURE: &str = include_str!("../../../../../infra/kafka/secure.properties");
const PLAINTEXT: &str = include_str!("../../../../../infra/kafka/plaintext.properties");

/// Values of the placeholders.
#[derive(Debug)]
pub(crate) struct BrokerSettings {
    /// Data folder.
    pub(crate) data: PathBuf,
    /// Port of the controller on the loopback address.
    pub(crate) controller_port: u16,
    /// Listeners, such as `CLIENT://127.0.0.1:19092`.
    pub(crate) listeners: String,
    /// Listeners as announced to clients.
    pub(crate) advertised: String,
    /// TLS and SASL, or `None` for an unauthenticated listener.
    pub(crate) security: Option<BrokerSecurity>,
}

/// TLS and SASL settings of a broker.
#[derive(Debug)]
pub(crate) struct BrokerSecurity {
    /// Code of the region.
    pub(crate) region: String,
    /// Folder of `broker.pem` and `ca.pem`.
    pub(crate) tls: PathBuf,
    /// Password of the administrator.
    pub(crate) password: SecretString,
}

impl BrokerSettings {
    /// The text of `server.properties`. With security it contains a password.
    pub(crate) fn text(&self) -> String {
        let common = SETTINGS
            .replace("${data}", &text_of(&self.data))
            .replace("${listeners}", &self.listeners)
            .replace("${advertised}", &self.advertised)
            .replace("${controller_port}", &self.controller_port.to_string());
        common + &self.security.as_ref().map_or(PLAINTEXT.to_owned(), BrokerSecurity::text)
    }
}

impl BrokerSecurity {
    fn text(&self) -> String {
        SECURE
            .replace("${tls}", &text_of(&self.tls))
            .replace("${region}", &self.region)
            .replace("${password}", self.password.expose_secret())
    }
}

fn text_of(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_fill_in() {
        let security = BrokerSecurity { region: "us".to_owned(), tls: "/tls".into(), password: "hush".into() };
        for security in [Some(security), None] {
            let (listeners, advertised) = ("CLIENT://:9092".to_owned(), "CLIENT://us-kafka:9092".to_owned());
            let settings =
                BrokerSettings { data: "/data".into(), controller_port: 9093, listeners, advertised, security };
            let text = settings.text();
            assert!(!text.lines().any(|line| !line.starts_with('#') && line.contains("${")), "{text}");
            assert!(text.contains("listeners = CLIENT://:9092,CONTROLLER://127.0.0.1:9093\n"));
        }
    }
}
