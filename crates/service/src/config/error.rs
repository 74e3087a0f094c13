//! Missing and invalid settings.

use figment::error::Kind;

use super::PREFIX;

/// Missing or invalid settings. The message names each variable and what is expected, never the value, which may be a
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}{}", .others.iter().map(|other| format!("; {other}")).collect::<String>())]
pub struct ConfigError {
    variable: String,
    reason: String,
    others: Vec<ConfigError>,
}

impl ConfigError {
    /// The setting `field` (its name in the file, such as `listen`) is invalid.
    pub fn invalid(field: &str, reason: impl Into<String>) -> Self {
        Self { variable: format!("{PREFIX}{}", field.to_ascii_uppercase()), reason: reason.into(), others: Vec::new() }
    }

    /// Fails with all errors combined, each once.
    pub(super) fn all(errors: Vec<Self>) -> Result<(), Self> {
        let mut different: Vec<Self> = Vec::new();
        for error in errors {
            if !different.contains(&error) {
                different.push(error);
            }
        }
        let mut different = different.into_iter();
        match different.next() {
            Some(first) => Err(Self { others: different.collect(), ..first }),
            None => Ok(()),
        }
    }

    /// Name of the setting in the file, such as `listen`.
    pub(super) fn field(&self) -> String {
        self.variable.trim_start_matches(PREFIX).to_ascii_lowercase()
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
            // An error without a path: the file is not TOML.
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
