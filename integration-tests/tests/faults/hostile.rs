//! Whatever comes from outside, the changes of others go on: bad records, bad requests, peers that stand still.
//!
//! What is printed is what people read; the limits that are checked allow for a machine that is busy with other tests.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use integration_tests::{Organization, RawProducer, System, topic, until, until_within};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;
use writ_client::Question;
use writ_kafka::topics;
use writ_log::hostile::RawRecord;

use crate::ALONE;
use crate::traffic::Traffic;

/// On an idle machine it is some 100 ms.
const SOON: Duration = Duration::from_secs(5);
/// How long peers stand still: longer than any check waits.
const FROZEN: Duration = Duration::from_secs(20);
const MAX_MEMORY: f64 = 256.0 * 1024.0 * 1024.0;
const DLQ: &str = "entity-events-demo-dlq";

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

fn headers(id: &str) -> Headers {
    let all = [
        ("ce_specversion", "1.0"),
        ("ce_type", "writ.EntityEvent"),
        ("ce_source", "urn:hostile"),
        ("ce_id", id),
        ("content-type", "application/json"),
    ];
    all.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).to_vec()
}

fn with(name: &[u8], value: &[u8]) -> Headers {
    let id = Uuid::now_v7().to_string();
    let mut all = headers(&id);
    all.retain(|(known, _)| known != name);
    all.push((name.to_vec(), value.to_vec()));
    all
}

/// Headers and values that no client library writes.
fn bad_records() -> Vec<(Headers, Option<Vec<u8>>)> {
    let json = |text: String| Some(text.into_bytes());
    let usual = || headers(&Uuid::now_v7().to_string());
    let mut records = vec![
        (with(b"\xff\xfe", b"x"), json("{}".into())),
        (with(b"", b""), json("{}".into())),
        (with(b"ce_id", b"\xff\xfe"), json("{}".into())),
        (with(b"ce_id", &[0; 300]), json("{}".into())),
        (with(b"ce_time", b"\xff"), json("{}".into())),
        (with(b"ce_type", &[b'x'; 60_000]), json("{}".into())),
        (with(b"content-type", b"application/avro"), Some(vec![0xC3, 0x01, 0, 0, 0, 0, 0, 0, 0, 0])),
        (with(b"traceparent", &[0xff; 1_000]), None),
        (usual(), json("[".repeat(60_000))),
        (usual(), json(format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000)))),
        (usual(), json(format!(r#"{{"kind":"{}"}}"#, "\\u0000".repeat(1_000)))),
        (usual(), Some(vec![0; 900_000])),
        (usual(), None),
    ];
    records.push(((0..2_000).map(|n| (format!("h{n}").into_bytes(), vec![b'x'; 10])).collect(), json("{}".into())));
    records
}

/// Every record of an organization is answered by a dead letter, those without one by nothing worse, and the events behind
/// them are in force.
#[tokio::test(flavor = "multi_thread")]
async fn bad_records_hold_up_nothing() -> Result<()> {
    let _alone = ALONE.lock().await;
    let system = System::running().await?;
    let traffic = Traffic::between(system, "us", "eu").await?;
    let organization = Organization::create(system, "us").await?;
    let (key, kafka) = (organization.id.to_string(), system.kafka_as("us", "producer-demo"));
    let partition = topics::partition_of(key.as_bytes(), 6);
    let sent = tokio::task::spawn_blocking(move || -> Result<usize> {
        let (records, mut producer) = (bad_records(), RawProducer::connect(&kafka)?);
        for (headers, value) in &records {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
            for key in [Some(key.as_bytes()), None, Some(&[]), Some(&[0xff; 5_000][..])] {
                let record = RawRecord { key, headers: &headers, value: value.as_deref() };
                let refused = producer.send("entity-events-demo", partition, &record)?.code;
                ensure!(refused == 0, "the broker refuses it: {refused}");
            }
        }
        Ok(records.len())
    })
    .await??;

    let producer = system.entities("us")?;
    let behind = producer.create(organization.id, "control_planes", "cp-behind").await?;
    let fresh = format!("{},{}", organization.consistency_token, producer.freshness(&behind));
    let question =
        Question { user: organization.owner, action: "view", resource_type: "control_planes", resource: "cp-behind" };
    let answer = system.read("us").evaluate(&organization.owner_token, question, Some(&fresh)).await?;
    ensure!(answer.status == 200, "what stands behind is applied: {} {}", answer.status, answer.body);
    until("the dead letters", async || {
        let letters = topic::read_all(&system.kafka("us"), DLQ)?;
        let mine = letters.iter().filter(|letter| letter.key == organization.id.to_string());
        Ok((mine.count() >= sent).then_some(()))
    })
    .await?;
    traffic.end().await?.below(SOON, "bad records")?;
    all_is_well(system).await
}

/// A region that writes nonsense about an organization stops that organization alone.
#[tokio::test(flavor = "multi_thread")]
async fn nonsense_from_a_service_stops_its_organization_alone() -> Result<()> {
    let _alone = ALONE.lock().await;
    let system = System::running().await?;
    let traffic = Traffic::between(system, "us", "eu").await?;
    let victim = Organization::create(system, "us").await?;
    let (key, kafka) = (victim.id.to_string(), system.kafka_as("eu", "authorization"));
    let partition = topics::partition_of(key.as_bytes(), 6);
    tokio::task::spawn_blocking(move || -> Result<()> {
        let mut producer = RawProducer::connect(&kafka)?;
        for (headers, value) in bad_records() {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
            for key in [Some(key.as_bytes()), None] {
                let record = RawRecord { key, headers: &headers, value: value.as_deref() };
                producer.send(topics::POLICY_CHANGES, partition, &record)?;
            }
        }
        Ok(())
    })
    .await??;
    // Its entities of eu are halted; those that us announces are decided as before.
    until("the halted chain", async || {
        let heads = system.heads("us", victim.id).await?;
        Ok(heads.iter().any(|head| head["origin"] == "eu" && head["state"] == "parked").then_some(()))
    })
    .await?;
    let producer = system.entities("us")?;
    let announced = producer.create(victim.id, "control_planes", "cp-us").await?;
    let fresh = format!("{},{}", victim.consistency_token, producer.freshness(&announced));
    let question = Question { user: victim.owner, action: "view", resource_type: "control_planes", resource: "cp-us" };
    let answer = system.read("eu").evaluate(&victim.owner_token, question, Some(&fresh)).await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    ensure!(!answer.body.to_string().contains("view_incomplete"), "{}", answer.body);
    traffic.end().await?.below(SOON, "nonsense from a service")?;
    all_is_well(system).await
}

/// Half heads, slow bodies, large and deep ones, a thousand idle connections, writers without end.
#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_swell_and_delay_nothing() -> Result<()> {
    let _alone = ALONE.lock().await;
    let system = System::running().await?;
    let traffic = Traffic::between(system, "us", "eu").await?;
    let hostile = Organization::create(system, "us").await?;
    let (identity, read) = (system.identity_url("us"), system.read_url("eu"));
    let mut held = Vec::new();
    for url in [&identity, &read] {
        let address = url.strip_prefix("http://").context("an address")?;
        for number in 0..500 {
            let mut socket = tokio::net::TcpStream::connect(address).await?;
            match number % 3 {
                0 => {}
                1 => socket.write_all(b"POST /v3/teams HTTP/1.1\r\nHost: x\r\nAuthor").await?,
                _ => {
                    let head = "POST /access/v1/evaluation HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                         Content-Length: 500000\r\n\r\n{\"";
                    socket.write_all(head.as_bytes()).await?;
                }
            }
            held.push(socket);
        }
    }
    let http = system.http();
    let evaluations = format!("{read}/access/v1/evaluations");
    let post = async |body: String| {
        let request =
            http.post(&evaluations).bearer_auth(&hostile.owner_token).header("content-type", "application/json");
        Ok::<_, anyhow::Error>(request.body(body).send().await?.status().as_u16())
    };
    let subject = json!({"type": "user", "id": hostile.owner.to_string()});
    let items = json!({
        "subject": subject, "action": {"name": "view"}, "resource": {"type": "control_planes", "id": "cp"},
        "context": {"a": vec![0; 5_000]}, "evaluations": vec![json!({}); 400],
    });
    let large = json!({
        "subject": subject, "action": {"name": "view"}, "resource": {"type": "control_planes", "id": "cp"},
        "context": {"a": vec![0; 250_000]}, "evaluations": vec![json!({}); 400],
    });
    let deep = format!(r#"{{"context":{}1{}}}"#, r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
    let twice = r#"{"evaluations":[],"evaluations":[]}"#.to_owned();
    for (body, status) in [(items.to_string(), 200), (large.to_string(), 400), (deep, 400), (twice, 400)] {
        let answers = join_all((0..20).map(|_| post(body.clone()))).await;
        for answer in answers {
            let found = answer?;
            ensure!(found == status || found == 429 || found == 503, "{found} instead of {status}");
        }
    }
    let writes = join_all((0..400).map(async |number| {
        let body = json!({"name": format!("team {number}")});
        hostile.admin.call(reqwest::Method::POST, "/v3/teams", Some(&body)).await.map(|answer| answer.status)
    }))
    .await;
    let made = writes.iter().filter(|answer| matches!(answer, Ok(201))).count();
    let refused = writes.iter().filter(|answer| matches!(answer, Ok(429))).count();
    ensure!(made > 0 && made + refused == writes.len(), "{made} made, {refused} refused: {writes:?}");
    traffic.end().await?.below(SOON, "bad requests")?;
    drop(held);
    all_is_well(system).await
}

/// PostgreSQL and the broker of a region stand still, connections open: the other regions go on, the region says that it
/// is not ready and lives, and catches up.
#[tokio::test(flavor = "multi_thread")]
async fn peers_that_stand_still_are_noticed_and_caught_up_with() -> Result<()> {
    let _alone = ALONE.lock().await;
    let system = System::running().await?;
    if system.in_containers() {
        println!("skipped: the parts are not processes of this machine");
        return Ok(());
    }
    for (part, service) in [("postgres", "projector"), ("kafka", "identity")] {
        let (elsewhere, here) =
            (Traffic::between(system, "us", "au").await?, Organization::create(system, "us").await?);
        let frozen = system.freeze("eu", part)?;
        until_within(Duration::from_secs(90), "eu is not ready", async || {
            ensure!(lives(system, "eu").await?, "a service of eu has died");
            let unready = system.unready().await;
            Ok(unready.iter().any(|reason| reason.starts_with(&format!("eu {service}"))).then_some(()))
        })
        .await
        .with_context(|| format!("while {part} stands still"))?;
        let mut added = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < FROZEN {
            added.push(here.add_user("During").await?.id);
            ensure!(lives(system, "eu").await?, "a service of eu has died");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        elsewhere.end().await?.below(SOON, &format!("{part} of another region stands still"))?;
        drop(frozen);
        all_is_well(system).await?;
        let last = added.last().context("a user")?;
        let stored = "SELECT EXISTS (SELECT FROM principal WHERE organization = $1 AND id = $2)";
        until("the last change in eu", async || {
            let found: bool = sqlx::query_scalar(stored)
                .bind(here.id)
                .bind(*last)
                .fetch_one(&system.database("eu", "read_model").await?)
                .await?;
            Ok(found.then_some(()))
        })
        .await?;
    }
    Ok(())
}

async fn lives(system: &System, region: &str) -> Result<bool> {
    for (_, url) in system.measured(region) {
        let answer = system.http().get(format!("{url}/livez")).timeout(Duration::from_secs(10)).send().await?;
        if answer.status() != 200 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Everything is ready, and no service has swollen.
async fn all_is_well(system: &System) -> Result<()> {
    until_within(Duration::from_secs(120), "everything ready", async || {
        Ok(system.unready().await.is_empty().then_some(()))
    })
    .await?;
    for region in ["us", "eu"] {
        for (service, text) in system.metrics(region).await? {
            let resident = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
            let bytes: f64 = resident.context("the memory of a service")?.trim().parse()?;
            ensure!(bytes < MAX_MEMORY, "{region} {service} has {} MiB", bytes / 1024.0 / 1024.0);
        }
    }
    Ok(())
}
