//! Records on a producer's `entity-events-…` that cannot be taken: each is answered, kept, and holds up nothing.

use anyhow::{Result, ensure};
use integration_tests::{Organization, System, topic, until};
use rdkafka::message::{Header, OwnedHeaders};
use uuid::Uuid;
use writ_client::{EntityProducer, Question};
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::{OrganizationId, Timestamp, encode};

struct Bad {
    what: &'static str,
    headers: OwnedHeaders,
    value: Vec<u8>,
    reason: &'static str,
}

fn event(organization: OrganizationId, entity_id: &str, parent: Option<&str>) -> EntityEvent {
    EntityEvent {
        kind: EntityEventKind::Created,
        organization,
        entity_type: "control_planes".to_owned(),
        entity_id: entity_id.to_owned(),
        parent_type: parent.map(|_| "control_planes".to_owned()),
        parent_id: parent.map(str::to_owned),
        occurred_at: Timestamp::now(),
    }
}

fn id() -> String {
    Uuid::now_v7().to_string()
}

fn without_id() -> OwnedHeaders {
    let header = |key, value| Header { key, value: Some(value) };
    OwnedHeaders::new()
        .insert(header("ce_specversion", "1.0"))
        .insert(header("ce_type", "writ.EntityEvent"))
        .insert(header("ce_source", "urn:bad"))
        .insert(header("content-type", "application/avro"))
}

fn bad_records(producer: &EntityProducer, organization: OrganizationId) -> Result<Vec<Bad>> {
    let avro = || producer.headers(&id(), "application/avro");
    let json = || producer.headers(&id(), "application/json");
    let good = encode(&event(organization, "cp", None))?;
    let mut unknown_schema = good.clone();
    unknown_schema[2] ^= 0xff;
    let padded = format!(r#"{{"pad":"{}"}}"#, "x".repeat(65 * 1024)).into_bytes();
    Ok(vec![
        Bad { what: "not Avro", headers: avro(), value: b"hello".to_vec(), reason: "not_decodable" },
        Bad { what: "an unknown fingerprint", headers: avro(), value: unknown_schema, reason: "unknown_schema" },
        Bad { what: "a cut record", headers: avro(), value: good[..good.len() - 3].to_vec(), reason: "not_decodable" },
        Bad { what: "malformed JSON", headers: json(), value: b"{".to_vec(), reason: "not_decodable" },
        Bad { what: "a missing header", headers: without_id(), value: good, reason: "missing_header" },
        Bad { what: "65 KiB", headers: json(), value: padded, reason: "too_large" },
        Bad {
            what: "a bad id",
            headers: avro(),
            value: encode(&event(organization, "white space", None))?,
            reason: "invalid_entity_id",
        },
        Bad {
            what: "an unknown parent",
            headers: avro(),
            value: encode(&event(organization, "child", Some("nobody")))?,
            reason: "unknown_parent",
        },
    ])
}

/// Every one is found in the dead-letter topic with its reason, and what follows it is in force.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_taken_is_answered_and_holds_up_nothing() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let producer = system.entities("eu")?;
    let key = organization.id.to_string();
    let bad = bad_records(&producer, organization.id)?;
    for record in &bad {
        producer.send_raw(&key, record.headers.clone(), &record.value).await?;
    }
    let behind = producer.create(organization.id, "control_planes", "cp-behind").await?;
    let fresh = format!("{},{}", organization.consistency_token, producer.freshness(&behind));
    let question =
        Question { user: organization.owner, action: "view", resource_type: "control_planes", resource: "cp-behind" };
    let answer = system.read("eu").evaluate(&organization.owner_token, question, Some(&fresh)).await?;
    ensure!(answer.status == 200, "what stands behind is applied: {} {}", answer.status, answer.body);

    let reasons = until("the dead letters", async || {
        let letters = topic::read_all(&system.kafka("eu"), "entity-events-demo-dlq")?;
        let mine: Vec<_> = letters.into_iter().filter(|letter| letter.key == key).collect();
        Ok((mine.len() >= bad.len()).then_some(mine))
    })
    .await?;
    for record in &bad {
        let letter = reasons
            .iter()
            .find(|letter| letter.value == record.value && letter.header("dlq_reason").starts_with(record.reason));
        ensure!(
            letter.is_some(),
            "{}: {:?}",
            record.what,
            reasons.iter().map(|l| l.header("dlq_reason")).collect::<Vec<_>>()
        );
    }
    Ok(())
}

/// In no region is there a chain, and who waits for the event is told that it has not come.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_event_leaves_nothing_but_its_dead_letter() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let producer = system.entities("eu")?;
    let refused = producer.send(event(organization.id, "orphan", Some("nobody"))).await?;
    let letter = dead_letter(system, organization.id).await?;
    assert_eq!(letter.header("dlq_reason"), "unknown_parent");
    let fresh = format!("{},{}", organization.consistency_token, producer.freshness(&refused));
    let question =
        Question { user: organization.owner, action: "view", resource_type: "control_planes", resource: "orphan" };
    let answer = system.read("au").evaluate(&organization.owner_token, question, Some(&fresh)).await?;
    ensure!(answer.status == 503, "{} {}", answer.status, answer.body);
    for region in ["us", "eu", "au"] {
        let heads = system.heads(region, organization.id).await?;
        ensure!(heads.iter().all(|head| head["stream"] != "entities"), "{region}: {heads:?}");
    }
    Ok(())
}

/// Anybody can make up an id.
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_does_not_exist_is_refused_by_name() -> Result<()> {
    let system = System::running().await?;
    let producer = system.entities("eu")?;
    let ghosts = [OrganizationId::from_parts("us".parse()?, 1, 7), OrganizationId::generate("eu".parse()?)];
    for ghost in ghosts {
        producer.send(event(ghost, "cp-1", None)).await?;
        let letter = dead_letter(system, ghost).await?;
        ensure!(letter.header("dlq_reason").starts_with("unknown_organization"), "{}", letter.header("dlq_reason"));
        ensure!(system.heads("eu", ghost).await?.is_empty());
    }
    Ok(())
}

/// The first dead letter of the organization in `eu`.
async fn dead_letter(system: &System, organization: OrganizationId) -> Result<topic::Seen> {
    until("the dead letter", async || {
        let letters = topic::read_all(&system.kafka("eu"), "entity-events-demo-dlq")?;
        Ok(letters.into_iter().find(|letter| letter.key == organization.to_string()))
    })
    .await
}

/// A producer that sends again what it has sent changes nothing, and one that gives its id to another event is told so.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_again_is_the_same_event() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let producer = system.entities("eu")?;
    let (id, value) = (id(), encode(&event(organization.id, "cp-once", None))?);
    for _ in 0..3 {
        producer.send_raw(&organization.id.to_string(), producer.headers(&id, "application/avro"), &value).await?;
    }
    let other = encode(&event(organization.id, "cp-other", None))?;
    producer.send_raw(&organization.id.to_string(), producer.headers(&id, "application/avro"), &other).await?;
    let last = producer.create(organization.id, "control_planes", "cp-last").await?;
    let fresh = format!("{},{}", organization.consistency_token, producer.freshness(&last));
    let question =
        Question { user: organization.owner, action: "view", resource_type: "control_planes", resource: "cp-last" };
    system.read("eu").evaluate(&organization.owner_token, question, Some(&fresh)).await?;
    let heads = system.heads("eu", organization.id).await?;
    let entities = heads.iter().find(|head| head["stream"] == "entities" && head["origin"] == "eu").unwrap();
    assert_eq!(entities["revision"], 2, "one revision each: {entities}");
    let reused = dead_letter(system, organization.id).await?;
    assert_eq!((reused.header("dlq_reason"), &reused.value), ("ce_id_reused", &other));
    Ok(())
}
