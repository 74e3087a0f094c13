//! Environment variables as a source of settings.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

const PREFIX: &str = "WRIT_";

/// Variables whose names begin with `WRIT_`, each as text: a token made of digits alone stays
/// what it is. An empty variable counts as not set.
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    pub(super) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let named = variables.into_iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
            (!value.is_empty()).then_some((name, value))
        });
        Self(named.collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let values = self.0.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        Ok(Profile::Default.collect(values.collect()))
    }
}

/// The variable that sets `field`.
pub(super) fn variable(field: &str) -> String {
    format!("{PREFIX}{}", field.to_ascii_uppercase())
}

/// The field that `variable` sets.
pub(super) fn field(variable: &str) -> String {
    variable.trim_start_matches(PREFIX).to_ascii_lowercase()
}
