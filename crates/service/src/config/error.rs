//! What is wrong with a setting.

use figment::error::Kind;

use super::environment::{field, variable};

/// Settings that are missing or wrong. The text names each variable and says what is expected; it
/// never holds a value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}{}", .others.iter().map(|other| format!("; {other}")).collect::<String>())]
pub struct ConfigError {
    variable: String,
    reason: String,
    others: Vec<ConfigError>,
}

impl ConfigError {
    /// The setting `field` (its name in the file, such as `listen`) is wrong.
    pub fn invalid(field: &str, reason: impl Into<String>) -> Self {
        Self { variable: variable(field), reason: reason.into(), others: Vec::new() }
    }

    /// Several as one, each once; none if there are none.
    pub(super) fn all(errors: Vec<Self>) -> Option<Self> {
        let mut different: Vec<Self> = Vec::new();
        for error in errors {
            if !different.contains(&error) {
                different.push(error);
            }
        }
        let mut different = different.into_iter();
        different.next().map(|first| Self { others: different.collect(), ..first })
    }

    /// The setting, as the file has it, such as `listen`.
    pub(super) fn field(&self) -> String {
        field(&self.variable)
    }

    /// Name of the first environment variable, such as `WRIT_LISTEN`.
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
