//! A change is one trace: from the request through outbox, Kafka, authorization and MirrorMaker until it is applied in
//! every region. Asked of a real Jaeger; without one on the path these tests say so and pass.

mod checks;

use std::collections::HashSet;

use anyhow::{Result, ensure};
use integration_tests::{Organization, REGIONS, System, until};
use uuid::Uuid;
use writ_client::{CallerSpan, EntityProducer, Jaeger, NewUser, Question, Span, Trace};
use writ_contract::TeamId;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::{Timestamp, encode};

/// Texts that occur nowhere by chance.
const NAMES: [&str; 5] = [
    "Quicksilver-Archive",
    "percival.thistlewood",
    "Percival Thistlewood",
    "Periwinkle-Lanterns",
    "saffron-description",
];
fn jaeger(system: &System) -> Option<Jaeger> {
    let jaeger = system.jaeger();
    if jaeger.is_none() {
        eprintln!("skipped: there is no `jaeger` on the path whose query API could be asked for a trace");
    }
    jaeger
}

/// A trace as soon as `complete` and no span's parent is missing but the caller's, which nobody has recorded.
async fn collected(jaeger: &Jaeger, caller: &CallerSpan, complete: impl Fn(&Trace) -> bool) -> Result<Trace> {
    let whole = |trace: &Trace| complete(trace) && orphans(trace).iter().all(|span| is_child(span, caller));
    until("the whole trace in Jaeger", async || Ok(jaeger.trace(caller.trace_id()).await?.filter(whole))).await
}

fn is_child(span: &Span, caller: &CallerSpan) -> bool {
    span.parent.as_deref() == Some(caller.id())
}

/// Spans that are part of nothing in the trace.
fn orphans(trace: &Trace) -> Vec<&Span> {
    let known: HashSet<&str> = trace.spans.iter().map(|span| span.id.as_str()).collect();
    let known = |span: &&Span| span.parent.as_deref().is_some_and(|parent| known.contains(parent));
    trace.spans.iter().filter(|span| !known(span)).collect()
}

fn named<'a>(trace: &'a Trace, name: &str) -> Vec<&'a Span> {
    trace.spans.iter().filter(|span| span.name == name).collect()
}

fn parent<'a>(trace: &'a Trace, of: &Span) -> Option<&'a Span> {
    trace.spans.iter().find(|span| Some(&span.id) == of.parent.as_ref())
}

/// Each region's projector has applied, and each region's audit has committed, what the trace is about.
fn is_everywhere(trace: &Trace) -> bool {
    REGIONS.iter().all(|region| {
        let there = |service, name| {
            move |span: &&Span| (span.service(), span.region(), &*span.name) == (service, *region, name)
        };
        let applied = trace.spans.iter().find(there("writ-projector", "apply"));
        applied.is_some_and(|span| attribute(span, "writ.outcome") == "applied")
            && trace.spans.iter().any(|span| there("writ-projector", "transaction")(&span))
            && trace.spans.iter().any(|span| there("writ-audit", "transaction")(&span))
    })
}

fn attribute<'a>(span: &'a Span, name: &str) -> &'a str {
    span.attributes.get(name).map_or("", String::as_str)
}

async fn cast(system: &'static System) -> Result<(Organization, NewUser, TeamId)> {
    let [organization, email, owner, team, description] = NAMES;
    let email = format!("{email}.{}@mail.example", Uuid::new_v4().simple());
    let organization = Organization::named(system, "us", organization, &email, owner).await?;
    let user = organization.add_user("someone").await?;
    let team = organization.admin.create_team(team, description).await?;
    Ok((organization, user, team))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_one_trace_from_the_request_to_every_region() -> Result<()> {
    let system = System::running().await?;
    let Some(jaeger) = jaeger(system) else { return Ok(()) };
    let (organization, user, team) = cast(system).await?;
    let caller = CallerSpan::begin();
    organization.admin.within(&caller).add_member(team, user.id).await?;
    // Audit reads both records of the home region, each in a transaction of its own.
    let read_twice = |trace: &Trace, topic: &str| named(trace, &format!("process {topic}")).len() == 2;
    let complete = |trace: &Trace| {
        is_everywhere(trace) && ["identity-events", "policy-changes"].iter().all(|topic| read_twice(trace, topic))
    };
    let trace = collected(&jaeger, &caller, complete).await?;

    checks::has_one_root(&trace)?;
    checks::is_recorded_where_it_happens(&trace)?;
    checks::shows_the_mirror(&trace)?;
    checks::follows_the_conventions(&trace)?;
    let secrets = [&user.token, &organization.owner_token, &organization.consistency_token];
    checks::holds_nothing_personal(&jaeger.text(&trace.id).await?, &secrets)
}

/// Another system's record continues its trace, and a read that waited for it is linked to that trace.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_waited_is_linked_to_the_trace_of_the_change() -> Result<()> {
    let system = System::running().await?;
    let Some(jaeger) = jaeger(system) else { return Ok(()) };
    let organization = Organization::create(system, "us").await?;
    let producer = system.entities("eu")?;
    // A read may be so late that it need not wait: then there is nothing to link.
    let producing = until("a read that waited", async || {
        let (producing, reading) = (CallerSpan::begin(), CallerSpan::begin());
        announce_and_ask(&organization, &producer, &producing, &reading).await?;
        let read = collected(&jaeger, &reading, |trace| !trace.spans.is_empty()).await?;
        let linked = orphans(&read)[0].links.iter().any(|link| link == producing.trace_id());
        Ok((linked && !named(&read, "wait for freshness").is_empty()).then_some(producing))
    })
    .await?;
    let trace = collected(&jaeger, &producing, is_everywhere).await?;
    let mut first: Vec<_> = orphans(&trace).into_iter().map(|span| (span.service(), &*span.name)).collect();
    first.sort_unstable();
    let name = "process entity-events-demo";
    ensure!(first == [("writ-audit", name), ("writ-authorization", name)], "{first:?}");
    Ok(())
}

/// The read is sent first; the event that it waits for, in a trace of its producer's, right behind it.
async fn announce_and_ask(
    organization: &Organization,
    producer: &EntityProducer,
    producing: &CallerSpan,
    reading: &CallerSpan,
) -> Result<()> {
    let (id, entity) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let fresh = format!("{},{}", organization.consistency_token, producer.freshness(&id));
    let question =
        Question { user: organization.owner, action: "view", resource_type: "control_planes", resource: &entity };
    let read = organization.system.read("eu").within(reading);
    let event = EntityEvent {
        kind: EntityEventKind::Created,
        organization: organization.id,
        entity_type: "control_planes".to_owned(),
        entity_id: entity.clone(),
        parent_type: None,
        parent_id: None,
        occurred_at: Timestamp::now(),
    };
    let headers = producer.headers_within(&id, "application/avro", producing);
    let value = encode(&event)?;
    let key = organization.id.to_string();
    let (answer, sent) = tokio::join!(
        read.evaluate(&organization.owner_token, question, Some(&fresh)),
        producer.send_raw(&key, headers, &value)
    );
    sent?;
    let answer = answer?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    Ok(())
}
