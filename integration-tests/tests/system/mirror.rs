//! Whatever an external producer sends, the mirror moves on.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use integration_tests::{Organization, System, topic, until, until_within};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use uuid::Uuid;
use writ_client::{AssignRole, Question};
use writ_kafka::Connection;

/// `max.message.bytes` of mirrored topics.
const LIMIT: usize = 1_048_576;
/// What a batch of one record without key and headers has besides its value.
const OVERHEAD: usize = 72;
const CODECS: [&str; 4] = ["zstd", "gzip", "snappy", "lz4"];
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the mirror may take for the megabytes of this test beside all other tests, on a slow machine.
const CARRIED: Duration = Duration::from_secs(240);

/// An external producer that the client itself keeps from nothing.
fn producer(kafka: &Connection, codec: &str) -> Result<FutureProducer> {
    let mut config = kafka.client_config("test");
    config.set("message.max.bytes", "20000000").set("batch.size", "20000000").set("linger.ms", "200");
    Ok(config.set("compression.type", codec).set("message.timeout.ms", "30000").create()?)
}

type Poison<'a> = FutureRecord<'a, [u8], [u8]>;

async fn send(producer: &FutureProducer, record: Poison<'_>) -> Result<(), KafkaError> {
    producer.send(record, TIMEOUT).await.map(drop).map_err(|(error, _)| error)
}

fn too_large(sent: Result<(), KafkaError>) -> bool {
    sent == Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge))
}

/// Small on the wire, far too large where it is kept: the broker looks at what it is going to store.
async fn oversized(kafka: &Connection, topic: &str) -> Result<()> {
    let zeros = vec![0; 5 * LIMIT];
    for codec in CODECS {
        let producer = producer(kafka, codec)?;
        let sent = send(&producer, FutureRecord::to(topic).payload(&zeros)).await;
        ensure!(too_large(sent.clone()), "one of 5 MiB, {codec}: {sent:?}");
        let sent = send(&producer, FutureRecord::to(topic).payload(&zeros[..LIMIT - OVERHEAD + 1])).await;
        ensure!(too_large(sent.clone()), "one byte over the limit, {codec}: {sent:?}");
        let many = (0..20).map(|_| send(&producer, FutureRecord::to(topic).payload(&zeros[..LIMIT / 8]).partition(0)));
        let all: Vec<_> = join_all(many).await;
        ensure!(all.iter().any(|sent| too_large(sent.clone())), "2.5 MiB in one batch, {codec}: {all:?}");
    }
    Ok(())
}

/// As large as can be, with every codec and without.
async fn just_under_the_limit(kafka: &Connection, topic: &str) -> Result<()> {
    let zeros = vec![0; LIMIT - OVERHEAD];
    let header = OwnedHeaders::new().insert(Header { key: "h", value: Some(&zeros[..LIMIT - 2 * OVERHEAD]) });
    for codec in CODECS {
        send(&producer(kafka, codec)?, FutureRecord::to(topic).payload(&zeros)).await?;
    }
    let producer = producer(kafka, "none")?;
    send(&producer, FutureRecord::to(topic).payload(&zeros)).await?;
    send(&producer, FutureRecord::to(topic).key(&zeros)).await?;
    send(&producer, FutureRecord::to(topic).headers(header)).await?;
    Ok(())
}

/// Small ones that are nothing that anybody expects.
async fn odd(kafka: &Connection, topic: &str) -> Result<()> {
    let producer = producer(kafka, "none")?;
    let nothing = || Header { key: "ce_id", value: None::<&[u8]> };
    let twice =
        OwnedHeaders::new().insert(nothing()).insert(nothing()).insert(Header { key: "", value: Some(b"\xff") });
    let many = (0..5_000).fold(OwnedHeaders::new(), |all, _| all.insert(Header { key: "ce_type", value: Some("?") }));
    let record = || Poison::to(topic);
    let records = [
        record(),
        record().key(b""),
        record().payload(b""),
        record().key(b"\xff\x00").payload(b"\xc3\x01garbage"),
        record().payload(b"{").headers(twice),
        record().payload(b"{").headers(many),
        record().payload(b"in the year 2262").timestamp(i64::MAX / 1_000_000),
    ];
    for record in records {
        send(&producer, record).await?;
    }
    Ok(())
}

/// Every record of a topic has a copy in the other region. They are megabytes: reading them over and over would hold up
/// what is waited for.
async fn all_arrive(system: &System, origin: &str, target: &str, name: &str) -> Result<()> {
    let (sent, copies) = (topic::read_all(&system.kafka(origin), name)?, format!("{origin}.{name}"));
    let mut count = 0;
    let arrived = until_within(CARRIED, "all of it in the other region", async || {
        count = topic::written(&system.kafka(target), &copies)?;
        Ok((count >= i64::try_from(sent.len())?).then_some(()))
    });
    arrived.await.with_context(|| format!("{count} of {} records are in {target}", sent.len()))?;
    let arrived = topic::read_all(&system.kafka(target), &copies)?;
    ensure!(sent.iter().all(|record| arrived.contains(record)), "not every record is in {target} as it was sent");
    Ok(())
}

/// A role that is given now is in force in the other region within the time that a read waits.
async fn a_role_reaches(system: &'static System, target: &str) -> Result<()> {
    let organization = Organization::create(system, "us").await?;
    let user = organization.add_user("someone").await?;
    let producer = system.entities(target)?;
    let id = producer.create(organization.id, "control_planes", "cp").await?;
    let role = AssignRole { role: "Viewer", entity_type: "Control Planes", entity: "*", region: target };
    let assigned = organization.admin.assign_role(user.id, role).await?;
    let fresh = format!("{},{}", assigned.consistency_token.unwrap_or_default(), producer.freshness(&id));
    let question = Question { user: user.id, action: "view", resource_type: "control_planes", resource: "cp" };
    let answer = system.read(target).evaluate(&user.token, question, Some(&fresh)).await?;
    ensure!(answer.allowed(), "{} {}", answer.status, answer.body);
    Ok(())
}

/// What the broker takes the mirror carries; what it could not carry the broker refuses.
#[tokio::test(flavor = "multi_thread")]
async fn no_record_of_an_external_producer_stops_the_mirror() -> Result<()> {
    let system = System::running().await?;
    let (kafka, topic) = (system.kafka_of_commander("us"), system.commands_topic());
    oversized(&kafka, &topic).await?;
    just_under_the_limit(&kafka, &topic).await?;
    odd(&kafka, &topic).await?;
    let last = Uuid::now_v7().to_string();
    send(&producer(&kafka, "none")?, FutureRecord::to(&topic).payload(last.as_bytes())).await?;

    a_role_reaches(system, "eu").await?;
    for target in ["eu", "au"] {
        all_arrive(system, "us", target, &topic).await?;
        let tasks =
            async |state: &str| system.mirror_metric(target, "writ_mirror_tasks", &[r#"source="us""#, state]).await;
        let (running, failed) = (tasks(r#"state="running""#).await?, tasks(r#"state="failed""#).await?);
        ensure!(running > 0.0 && failed == 0.0, "{target}: {running} tasks run, {failed} have failed");
    }
    until("everything ready", async || Ok(system.unready().await.is_empty().then_some(()))).await
}
