use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::*;
use crate::DatabaseUrl;

#[derive(Debug, Deserialize)]
struct Own {
    database_url: DatabaseUrl,
    consistency_key: SecretString,
    #[serde(deserialize_with = "map", default)]
    identity_urls: BTreeMap<Region, BaseUrl>,
}

impl ServiceSettings for Own {
    const REQUIRED: Required = &[("database_url", "postgres://a@b/c"), ("consistency_key", "5a5a")];
}

fn load_with(changes: &[(&str, &str)]) -> Result<(Common, Own), ConfigError> {
    let mut variables = BTreeMap::from([
        ("WRIT_REGION", "eu"),
        ("WRIT_REGIONS", "us,eu"),
        ("WRIT_KAFKA_BROKERS", "127.0.0.1:29092"),
        ("WRIT_DATABASE_URL", "postgres://projector:hush@127.0.0.1:25432/read_model"),
        ("WRIT_LISTEN", "127.0.0.1:28082"),
        ("WRIT_OPERATIONS_LISTEN", "127.0.0.1:28092"),
        ("WRIT_CONSISTENCY_KEY", "1234567890"),
    ]);
    variables.extend(changes.iter().copied());
    load_from(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
}

#[test]
fn the_environment_goes_over_the_defaults() {
    let (common, own) = load_with(&[("WRIT_IDENTITY_URLS", "us=http://a:1,eu=http://b:2/")]).unwrap();
    assert_eq!(common.region.as_str(), "eu");
    assert_eq!(common.regions.len(), 2);
    assert_eq!(common.log, "info");
    assert_eq!(common.log_format, LogFormat::Text);
    assert_eq!(common.otlp_endpoint, None);
    assert_eq!(own.identity_urls[&common.region].as_str(), "http://b:2");
    assert_eq!(own.consistency_key.expose_secret(), "1234567890");
    assert_eq!(own.database_url.options().get_database(), Some("read_model"));
}

#[test]
fn half_a_login_is_refused() {
    let error = load_with(&[("WRIT_KAFKA_USERNAME", "audit"), ("WRIT_KAFKA_PASSWORD", "hush")]).unwrap_err();
    assert_eq!(error.variable(), "WRIT_KAFKA_CA");
    let all = [("WRIT_KAFKA_USERNAME", "audit"), ("WRIT_KAFKA_PASSWORD", "hush"), ("WRIT_KAFKA_CA", "/nowhere/ca.pem")];
    assert_eq!(load_with(&all).unwrap_err().variable(), "WRIT_KAFKA_CA");
}

#[test]
fn every_refusal_names_the_variable_and_hides_the_value() {
    let cases = [
        ("WRIT_REGION", "Europe"),
        ("WRIT_REGION", "au"),
        ("WRIT_REGIONS", "us,,eu"),
        ("WRIT_KAFKA_BROKERS", "localhost"),
        ("WRIT_DATABASE_URL", "mysql://root:hunter2@db"),
        ("WRIT_LISTEN", "8081x"),
        ("WRIT_OPERATIONS_LISTEN", "8091x"),
        ("WRIT_MAX_CONNECTIONS", "0"),
        ("WRIT_MAX_REQUESTS", "many9"),
        ("WRIT_LOG_FORMAT", "xml0"),
        ("WRIT_OTLP_ENDPOINT", "collector9"),
        ("WRIT_TRACE_RATIO", "1.5"),
        ("WRIT_TRACE_RATIO", "halfway"),
        ("WRIT_TRACE_READ_RATIO", "-0.1"),
        ("WRIT_IDENTITY_URLS", "usx"),
        ("WRIT_IDENTITY_URLS", "us=http://u:secret@a"),
        ("WRIT_CONFIG", "/nowhere/writ.toml"),
    ];
    for (variable, value) in cases {
        let error = load_with(&[(variable, value)]).unwrap_err();
        assert_eq!(error.variable(), variable, "{error}");
        assert!(!error.to_string().contains(value), "{error}");
    }
}

#[test]
fn a_missing_setting_is_named() {
    for variable in ["WRIT_REGION", "WRIT_OPERATIONS_LISTEN", "WRIT_DATABASE_URL", "WRIT_CONSISTENCY_KEY"] {
        let error = load_with(&[(variable, "")]).unwrap_err();
        assert_eq!(error.to_string(), format!("{variable}: not set"));
    }
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let changes =
        [("WRIT_REGION", ""), ("WRIT_LISTEN", "8081x"), ("WRIT_LOG_FORMAT", "xml0"), ("WRIT_CONSISTENCY_KEY", "")];
    let text = load_with(&changes).unwrap_err().to_string();
    for (variable, _) in changes {
        assert_eq!(text.matches(variable).count(), 1, "{variable} in {text}");
    }
}

#[test]
fn an_optional_setting_and_a_default_hide_no_other_fault() {
    let changes = [("WRIT_OTLP_ENDPOINT", "collector9"), ("WRIT_LOG_FORMAT", "xml0"), ("WRIT_IDENTITY_URLS", "usx")];
    let text = load_with(&changes).unwrap_err().to_string();
    for (variable, _) in changes {
        assert_eq!(text.matches(variable).count(), 1, "{variable} in {text}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_all_named() {
    let changes = [("WRIT_REGION", "au"), ("WRIT_TRACE_RATIO", "1.5"), ("WRIT_KAFKA_USERNAME", "audit")];
    let text = load_with(&changes).unwrap_err().to_string();
    for variable in ["WRIT_REGION", "WRIT_TRACE_RATIO", "WRIT_KAFKA_PASSWORD"] {
        assert!(text.contains(variable), "{variable} in {text}");
    }
}

#[test]
fn the_examples_of_required_settings_are_valid() {
    let variables = Common::REQUIRED.iter().chain(Own::REQUIRED);
    let variables = variables.map(|(name, example)| (format!("WRIT_{}", name.to_uppercase()), (*example).to_owned()));
    assert!(load_from::<Own>(variables).is_ok());
}

#[test]
fn debug_hides_secrets() {
    let (common, own) = load_with(&[]).unwrap();
    let text = format!("{common:?} {own:?}");
    assert!(!text.contains("hush") && !text.contains("1234567890"), "{text}");
}
