//! `writ producer`: another system is let in, writes what it may, and is shut out again.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use integration_tests::access::{Visitor, complaint};
use integration_tests::{REGIONS, System, until};
use rdkafka::error::RDKafkaErrorCode;
use serde_json::Value;
use writ_kafka::topics;
use writ_kafka::{Connection, Login, MECHANISM};

use crate::access::RIGHTS;

/// Its topics come with the test, and stay.
pub(crate) const NAME: &str = "shipping";
const TOPIC: &str = "identity-commands-shipping";

fn writ(system: &System, words: &[&str]) -> Result<Output> {
    let tests = std::env::current_exe()?;
    let folder = tests.ancestors().nth(2).context("a target folder")?;
    let mut command = Command::new(folder.join("writ"));
    Ok(command.arg("--home").arg(system.home()).args(words).output()?)
}

/// What the command says in JSON.
fn told(system: &System, words: &[&str]) -> Result<Value> {
    let output = writ(system, words)?;
    ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The login that the command has written for a region.
fn connection(added: &Value, region: &str) -> Result<Connection> {
    let file = added["client_files"][region].as_str().context("a file for each region")?;
    assert_eq!(std::fs::metadata(file)?.permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file)?;
    let of = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.with_context(|| format!("{name} in {file}"))
    };
    assert_eq!((of("security.protocol")?, of("sasl.mechanism")?), ("SASL_SSL", MECHANISM));
    let (username, password) = (of("sasl.username")?.to_owned(), of("sasl.password")?.into());
    Ok(Connection::new(of("bootstrap.servers")?, Login { username, password, ca: of("ssl.ca.location")?.into() }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_is_let_in_and_shut_out() -> Result<()> {
    let system = System::running().await?;
    let _alone = RIGHTS.lock().await;
    // Of a run that was cut short.
    writ(system, &["producer", "remove", NAME])?;
    let add = ["producer", "add", NAME, "--kind", "commands", "--json"];
    let added = told(system, &add)?;
    assert_eq!(told(system, &add)?, added, "once more is harmless");
    assert_eq!((&added["topic"], &added["principal"]), (&TOPIC.into(), &"producer-shipping".into()));

    for region in REGIONS {
        writes_its_topic_only(system, region, connection(&added, region)?).await?;
    }
    let copy = topics::mirrored(TOPIC, "us");
    let eu = Visitor::new(system.kafka("eu"));
    until("the topic is mirrored", async || Ok(eu.sees()?.contains(&copy).then_some(()))).await?;

    let before = connection(&added, "us")?;
    let removed = writ(system, &["producer", "remove", NAME])?;
    ensure!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    let refused = complaint(before.client_config("test").set("group.id", "test"))?;
    assert_eq!(refused, Some(RDKafkaErrorCode::Authentication));
    assert!(eu.sees()?.contains(TOPIC), "what it has written stays");
    Ok(())
}

async fn writes_its_topic_only(system: &System, region: &str, login: Connection) -> Result<()> {
    let all = Visitor::new(system.kafka(region)).sees()?;
    let visitor = Visitor::new(login);
    assert_eq!(visitor.writes(&all).await?, BTreeSet::from([TOPIC.to_owned()]), "{region}");
    assert_eq!(visitor.reads(&all).await?, BTreeSet::from([topics::IDENTITY_COMMAND_RESULTS.to_owned()]), "{region}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_is_refused_with_the_reason() -> Result<()> {
    let system = System::running().await?;
    let cases = [
        (["producer", "add", "eu.policy", "--kind", "commands"], "lower-case letters"),
        (["producer", "add", "demo", "--kind", "commands"], "of the other kind"),
        (["producer", "add", "demo", "--kind", "gossip"], "expected entities or commands"),
    ];
    for (words, reason) in cases {
        let output = writ(system, &words)?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason), "{words:?}: {said}");
    }
    let known = told(system, &["producer", "list", "--json"])?;
    let names: Vec<_> = known.as_array().context("a list")?.iter().filter_map(|it| it["name"].as_str()).collect();
    assert!(names.contains(&"demo") && !names.contains(&"eu.policy"), "{names:?}");
    Ok(())
}
