//! What is wrong with a setting.

use figment::error::Kind;

use super::environment::variable;

/// A setting that is missing or wrong. Its text names the variable and says what is expected; it
/// never holds the value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct ConfigError {
    variable: String,
    reason: String,
}

impl ConfigError {
    /// The setting `field` (its name in the file, such as `listen`) is wrong.
    pub fn invalid(field: &str, reason: impl Into<String>) -> Self {
        Self { variable: variable(field), reason: reason.into() }
    }

    /// Name of the environment variable, such as `WRIT_LISTEN`.
    pub fn variable(&self) -> &str {
        &self.variable
    }
}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        match (&error.kind, error.path.first()) {
            (Kind::MissingField(field), _) => Self::invalid(field, "not set"),
            (kind, Some(field)) => Self::invalid(field, reason(kind)),
            // Without a path it is the file that cannot be read as TOML.
            (kind, None) => Self::invalid("config", reason(kind)),
        }
    }
}

fn reason(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.clone(),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) | Kind::InvalidLength(_, expected) => {
            format!("expected {expected}")
        }
        Kind::UnknownVariant(_, known) => format!("expected one of {}", known.join(", ")),
        _ => "invalid".to_owned(),
    }
}
