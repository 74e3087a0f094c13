use secrecy::ExposeSecret;

use super::*;

const FILE: &str = r#"
region = "us"
regions = ["us", "eu"]
kafka_brokers = "kafka.us.example:9092"
kafka_username = "admin"
kafka_password = "hush"
kafka_ca = "/etc/writ/ca.pem"
postgres_url = "postgres://postgres@db.us.example/postgres?sslmode=verify-full"

[producers]
billing = "commands"

[principals]
identity = "one"

[roles]
identity_owner = "two"
"#;

fn settings() -> RegionSettings {
    toml::from_str(FILE).unwrap()
}

#[test]
fn a_file_has_all_that_is_needed() {
    let (connection, plan) = (settings().kafka().unwrap().unwrap(), settings().kafka_plan().unwrap());
    assert_eq!(
        (connection.brokers(), connection.login().unwrap().username.as_str()),
        ("kafka.us.example:9092", "admin")
    );
    assert_eq!(plan.producers[0].topic(), "identity-commands-billing");
    assert_eq!(plan.passwords["identity"].expose_secret(), "one");
    let postgres = RegionSettings { postgres_password: Some("three".to_owned()), ..settings() }.postgres().unwrap();
    assert_eq!(postgres.unwrap().passwords["identity_owner"].expose_secret(), "two");
}

#[test]
fn it_is_written_as_it_is_read() {
    let text = settings().to_toml().unwrap();
    assert_eq!(toml::from_str::<RegionSettings>(&text).unwrap().to_toml().unwrap(), text);
}

#[test]
fn a_server_without_an_address_is_left_alone() {
    let neither = RegionSettings { kafka_brokers: None, postgres_url: None, ..settings() };
    assert!(neither.kafka().unwrap().is_none() && neither.postgres().unwrap().is_none());
}

#[test]
fn what_is_missing_is_named() {
    let error = RegionSettings { kafka_password: None, ..settings() }.kafka().unwrap_err();
    assert_eq!(error.to_string(), "kafka_password is missing");
    let error = RegionSettings { regions: Vec::new(), ..settings() }.kafka_plan().unwrap_err();
    assert_eq!(error.to_string(), "regions must list all regions, us included");
}

#[test]
fn passwords_are_not_shown() {
    let shown = format!("{:?}", settings());
    assert!(!shown.contains("hush") && !shown.contains("one") && !shown.contains("two"), "{shown}");
}
