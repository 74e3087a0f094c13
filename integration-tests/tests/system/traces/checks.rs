//! What must be true of the whole trace of a change.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use integration_tests::{PATIENCE, REGIONS};
use writ_client::{Span, Trace};

use super::{NAMES, attribute, named, orphans, parent};

/// Attributes that every process gives its spans.
const RESOURCE: [&str; 6] =
    ["service.name", "service.namespace", "service.version", "service.instance.id", "cloud.region", "writ.region"];
/// Attributes of every span about one record.
const MESSAGING: [&str; 4] =
    ["messaging.system", "messaging.operation.name", "messaging.destination.name", "messaging.message.id"];

pub(super) fn has_one_root(trace: &Trace) -> Result<()> {
    let roots = orphans(trace);
    ensure!(roots.len() == 1, "one root: {roots:?}");
    let root = roots[0];
    ensure!(root.name == "POST /v3/teams/{teamId}/users" && root.service() == "writ-identity", "{root:?}");
    let ids: HashSet<&str> = trace.spans.iter().map(|span| span.id.as_str()).collect();
    ensure!(ids.len() == trace.spans.len(), "no span twice");
    ensure!(trace.spans.iter().all(|span| !span.failed()), "nothing went wrong: {:?}", trace.spans);
    Ok(())
}

/// What follows what: name, service and region of the child, and the same of its parent.
pub(super) fn is_recorded_where_it_happens(trace: &Trace) -> Result<()> {
    let steps: HashSet<String> = trace.spans.iter().map(|span| step(trace, span)).collect();
    let mut expected: HashSet<String> = [
        "transaction identity@us < POST /v3/teams/{teamId}/users",
        "outbox identity-events identity@us < transaction",
        "send identity-events identity@us < outbox identity-events",
        "process identity-events authorization@us < send identity-events",
        "process identity-events audit@us < send identity-events",
        "transaction authorization@us < process identity-events",
        "transaction audit@us < process identity-events",
        "derive authorization@us < process identity-events",
        "outbox policy-changes authorization@us < process identity-events",
        "send policy-changes authorization@us < outbox policy-changes",
        "POST /v3/teams/{teamId}/users identity@us < ",
    ]
    .map(str::to_owned)
    .into();
    for region in REGIONS {
        let topic = if region == "us" { "policy-changes".to_owned() } else { "us.policy-changes".to_owned() };
        for service in ["projector", "audit"] {
            let sent = if region == "us" { "send policy-changes".to_owned() } else { format!("mirror {topic}") };
            expected.insert(format!("process {topic} {service}@{region} < {sent}"));
            expected.insert(format!("transaction {service}@{region} < process {topic}"));
            if region != "us" {
                expected.insert(format!("mirror {topic} {service}@{region} < send policy-changes"));
            }
        }
        expected.insert(format!("apply projector@{region} < process {topic}"));
    }
    let (missing, more): (Vec<_>, Vec<_>) =
        (expected.difference(&steps).collect(), steps.difference(&expected).collect());
    ensure!(missing.is_empty() && more.is_empty(), "missing: {missing:#?}\nmore: {more:#?}");
    Ok(())
}

fn step(trace: &Trace, span: &Span) -> String {
    let service = span.service().trim_start_matches("writ-");
    let parent = parent(trace, span).map_or("", |parent| &*parent.name);
    format!("{} {service}@{} < {parent}", span.name, span.region())
}

/// The hop that MirrorMaker says nothing of: after the record was sent, before it is processed, and not for ever.
pub(super) fn shows_the_mirror(trace: &Trace) -> Result<()> {
    let mirrors = named(trace, "mirror us.policy-changes");
    ensure!(mirrors.len() == 4, "by projector and audit of the two other regions: {mirrors:?}");
    for mirror in mirrors {
        let sent = parent(trace, mirror).context("what was sent")?;
        let received = trace.spans.iter().find(|span| span.parent.as_ref() == Some(&mirror.id));
        let received = received.context("what is received")?;
        ensure!(sent.begun <= mirror.begun && mirror.begun < received.begun, "{sent:?} {mirror:?} {received:?}");
        ensure!(mirror.begun + mirror.took <= received.begun, "{mirror:?} {received:?}");
        ensure!(u128::from(mirror.took) < PATIENCE.as_micros(), "{mirror:?}");
        ensure!(attribute(mirror, "writ.origin") == "us", "{mirror:?}");
    }
    Ok(())
}

pub(super) fn follows_the_conventions(trace: &Trace) -> Result<()> {
    for span in &trace.spans {
        let missing: Vec<_> = RESOURCE.into_iter().filter(|name| !span.resource.contains_key(*name)).collect();
        ensure!(missing.is_empty(), "{missing:?} of {span:?}");
        ensure!(
            span.resource["service.namespace"] == "writ" && span.resource["cloud.region"] == span.region(),
            "{span:?}"
        );
        ensure!(!span.attributes.keys().any(|name| name.starts_with("db.query")), "no statement: {span:?}");
        let Some((operation, topic)) = span.name.split_once(' ').filter(|(operation, _)| *operation != "POST") else {
            continue;
        };
        let missing: Vec<_> = MESSAGING.into_iter().filter(|name| attribute(span, name).is_empty()).collect();
        ensure!(missing.is_empty(), "{missing:?} of {span:?}");
        let said = (attribute(span, MESSAGING[0]), attribute(span, MESSAGING[1]), attribute(span, MESSAGING[2]));
        ensure!(said == ("kafka", operation, topic), "{span:?}");
        let kind = match operation {
            "send" => "producer",
            "process" | "mirror" => "consumer",
            _ => "internal",
        };
        ensure!(attribute(span, "span.kind") == kind, "{span:?}");
        if operation != "outbox" {
            ensure!(!attribute(span, "messaging.kafka.offset").is_empty(), "{span:?}");
            ensure!(!attribute(span, "messaging.destination.partition.id").is_empty(), "{span:?}");
        }
    }
    Ok(())
}

pub(super) fn holds_nothing_personal(trace: &str, secrets: &[&String]) -> Result<()> {
    let trace = trace.to_lowercase();
    ensure!(trace.contains("messaging.message.id"), "the scan sees the trace");
    let texts = NAMES.into_iter().chain(secrets.iter().map(|secret| secret.as_str()));
    let found: Vec<_> = texts.filter(|text| trace.contains(&text.to_lowercase())).collect();
    ensure!(found.is_empty(), "in the trace: {found:?}");
    Ok(())
}
