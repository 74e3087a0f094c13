use writ_service::config::load_from;

use super::*;

fn load(changes: &[(&str, &str)]) -> Result<ProjectorSettings, ConfigError> {
    let key = "ab".repeat(32);
    let mut variables = vec![
        ("WRIT_REGION", "eu"),
        ("WRIT_REGIONS", "us,eu"),
        ("WRIT_KAFKA_BROKERS", "127.0.0.1:29092"),
        ("WRIT_DATABASE_URL", "postgres://projector@127.0.0.1:25432/read_model"),
        ("WRIT_LISTEN", "127.0.0.1:28082"),
        ("WRIT_OPERATIONS_LISTEN", "127.0.0.1:28092"),
        ("WRIT_CONSISTENCY_KEY", &key),
    ];
    variables.extend(changes);
    load_from::<ProjectorSettings>(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
        .map(|(_, settings)| settings)
}

#[test]
fn defaults_are_enough() {
    let settings = load(&[]).unwrap();
    let waiting = settings.wait_times().unwrap();
    assert_eq!((waiting.default, waiting.max), (Duration::from_secs(2), Duration::from_secs(10)));
    assert!(settings.waiter_limits().per_organization < settings.waiter_limits().total);
    assert_eq!(settings.public_url(), "http://127.0.0.1:28082");
    let named = load(&[("WRIT_PUBLIC_URL", "https://read.example/")]).unwrap();
    assert_eq!(named.public_url(), "https://read.example");
}

#[test]
fn a_wrong_setting_is_named_and_not_repeated() {
    for (variable, value) in [
        ("WRIT_CONSISTENCY_KEY", "too-short-and-not-hex"),
        ("WRIT_PLATFORM_TOKEN_HASHES", "abcdef"),
        ("WRIT_FRESHNESS_WAIT_SECONDS", "soon"),
        ("WRIT_FRESHNESS_WAITERS", "-1"),
    ] {
        let error = load(&[(variable, value)]).unwrap_err();
        assert_eq!(error.variable(), variable);
        assert!(!error.to_string().contains(value), "{error}");
    }
}

#[test]
fn waits_are_sane() {
    for (variable, value) in [("WRIT_FRESHNESS_WAIT_SECONDS", "11"), ("WRIT_FRESHNESS_MAX_WAIT_SECONDS", "-1")] {
        let error = load(&[(variable, value)]).unwrap().wait_times().unwrap_err();
        assert_eq!(error.variable(), variable);
    }
}
