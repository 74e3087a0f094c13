//! What clients send over HTTP, and what MirrorMaker writes.

use std::time::Instant;

use axum::body::Bytes;
use serde_json::json;
use writ_contract::row::TokenKind;
use writ_contract::{ChainId, Region, Revision, Stream};
use writ_mirror_watch::sources::Sources;
use writ_projector::authzen::{AccessEvaluation, EvaluationsRequest};
use writ_service::extract::JsonBytes;
use writ_tokens::{BearerToken, ConsistencyKey, ConsistencyToken, SeenRevision};

use crate::seeds::{here, organization};

pub(crate) fn evaluations() -> Vec<Vec<u8>> {
    let one = json!({
        "subject": {"type": "user", "id": "u", "properties": {"a": [1, 2.5, null]}},
        "action": {"name": "view"}, "resource": {"type": "control_planes", "id": "cp"}, "context": {"b": {"c": true}},
    });
    let several = json!({
        "subject": {"type": "user", "id": "u"}, "evaluations": [{"action": {"name": "view"}}, {"resource": {"type": "t", "id": "r"}}],
        "options": {"evaluations_semantic": "deny_on_first_deny"},
    });
    [one, several].iter().map(|body| serde_json::to_vec(body).unwrap()).collect()
}

pub(crate) fn evaluation(input: &[u8]) {
    let body = JsonBytes::from(Bytes::copy_from_slice(input));
    let _ = AccessEvaluation::read(&body);
    if let Ok(EvaluationsRequest::Several(evaluations)) = EvaluationsRequest::read(&body) {
        (0..).map_while(|number| evaluations.item(number)).for_each(drop);
    }
}

pub(crate) fn bearer_tokens() -> Vec<Vec<u8>> {
    let kinds = [TokenKind::Personal, TokenKind::Invite, TokenKind::SystemAccount];
    kinds.map(|kind| BearerToken::generate(kind, here(), organization()).expose().as_bytes().to_vec()).to_vec()
}

/// What is taken for a token has one text only.
pub(crate) fn bearer_token(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(token) = BearerToken::parse(text) {
        assert_eq!(token.expose(), text);
    }
}

fn key() -> ConsistencyKey {
    "5a".repeat(32).parse().unwrap()
}

pub(crate) fn consistency_tokens() -> Vec<Vec<u8>> {
    let chain = ChainId { organization: organization(), origin: here(), stream: Stream::Identity };
    let seen = vec![SeenRevision { chain, revision: Revision::first_epoch(7) }];
    let token = key().issue(&ConsistencyToken { organization: organization(), seen });
    let event = "event;eu;demo;id-1".to_owned();
    [token.clone(), event.clone(), format!("{token},{event}")].map(String::into_bytes).to_vec()
}

/// Nobody makes one up.
pub(crate) fn consistency_token(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(token) = key().parse(text) {
        assert_eq!(key().issue(&token), text);
    }
    let _ = key().parse_joined(text, organization());
}

pub(crate) fn mirror_records() -> Vec<Vec<u8>> {
    let state = br#"{"state":"FAILED","trace":"java.lang.Oops: broken","worker_id":"w"}"#.to_vec();
    let beat = [&[0, 0][..], &1_000_000_i64.to_be_bytes()].concat();
    vec![[b"\x23status-task-MirrorSourceConnector-0".to_vec(), state].concat(), [vec![0], beat].concat()]
}

/// The first byte is the length of the key.
pub(crate) fn mirror_record(input: &[u8]) {
    let regions: Vec<Region> = ["us", "eu"].map(|code| code.parse().unwrap()).to_vec();
    let mut sources = Sources::new(&here(), &regions, Instant::now());
    let [length, rest @ ..] = input else { return };
    let (key, value) = rest.split_at(rest.len().min(usize::from(*length)));
    for topic in sources.task_topics().into_iter().chain(sources.beat_topics()) {
        sources.take(&topic, Some(key), Some(value), Instant::now());
        sources.take(&topic, None, Some(value), Instant::now());
    }
    let _ = (sources.trouble(Instant::now()), sources.failed_at());
}
