//! `writ producer`: another system is let in, writes what it may, and is shut out again.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use integration_tests::access::{Visitor, complaint};
use integration_tests::{REGIONS, RawProducer, System, until};
use memchr::memmem;
use rdkafka::error::RDKafkaErrorCode;
use serde_json::Value;
use writ_kafka::access::{Quota, limit};
use writ_kafka::topics;
use writ_kafka::wire::{WireConnection, string};
use writ_kafka::{Connection, Login, MECHANISM};
use writ_log::hostile::RawRecord;

use crate::access::RIGHTS;

/// Its topics come with the test, and stay.
pub(crate) const NAME: &str = "shipping";
const TOPIC: &str = "identity-commands-shipping";
const PRINCIPAL: &str = "producer-shipping";
/// `DescribeClientQuotas`, of KIP-546.
const DESCRIBE_CLIENT_QUOTAS: i16 = 48;

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
    assert_eq!((&added["topic"], &added["principal"]), (&TOPIC.into(), &PRINCIPAL.into()));

    for region in REGIONS {
        writes_its_topic_only(system, region, connection(&added, region)?).await?;
        assert!(is_limited(system, region).await?, "{region}");
    }
    is_slowed_down_beyond_its_quota(system, connection(&added, "us")?).await?;
    let copy = topics::mirrored(TOPIC, "us");
    let eu = Visitor::new(system.kafka("eu"));
    until("the topic is mirrored", async || Ok(eu.sees()?.contains(&copy).then_some(()))).await?;

    let before = connection(&added, "us")?;
    let removed = writ(system, &["producer", "remove", NAME])?;
    ensure!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    let refused = complaint(before.client_config("test").set("group.id", "test"))?;
    assert_eq!(refused, Some(RDKafkaErrorCode::Authentication));
    assert!(!is_limited(system, "us").await?, "its quota is gone");
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

/// Whether the broker of a region has the quota that provisioning gives, 5 MiB a second.
async fn is_limited(system: &System, region: &str) -> Result<bool> {
    let kafka = system.kafka(region);
    let told = tokio::task::spawn_blocking(move || -> Result<Vec<u8>> {
        // One component, exactly this user; not only that.
        let exactly = [&[0][..], &string(PRINCIPAL), &[0]].concat();
        let body = [&1_i32.to_be_bytes()[..], &string("user"), &exactly].concat();
        Ok(WireConnection::open(&kafka)?.call(DESCRIBE_CLIENT_QUOTAS, 0, &body)?)
    });
    let quota = [string("producer_byte_rate"), f64::from(5 << 20).to_be_bytes().to_vec()].concat();
    Ok(memmem::find(&told.await??, &quota).is_some())
}

/// Its answers wait, those of the others do not.
async fn is_slowed_down_beyond_its_quota(system: &System, login: Connection) -> Result<()> {
    let administrator = system.kafka("us");
    let little = Quota { bytes_per_second: 4_096, request_percentage: 100 };
    limit(&administrator, vec![(PRINCIPAL.to_owned(), Some(little))]).await?;
    let sent = tokio::task::spawn_blocking(move || -> Result<bool> {
        let (mut producer, value) = (RawProducer::connect(&login)?, vec![b'x'; 40_000]);
        let record = RawRecord { key: Some(b"key"), headers: &[], value: Some(&value) };
        // 40 kB are above what 11 s, the span that Kafka looks at, allow. The quota may take a moment to arrive.
        for _ in 0..100 {
            let produced = producer.send(TOPIC, 0, &record)?;
            ensure!(produced.code == 0, "the broker refuses it: {}", produced.code);
            if !produced.throttled.is_zero() {
                return Ok(true);
            }
        }
        Ok(false)
    });
    ensure!(sent.await??, "nobody slows it down");
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
