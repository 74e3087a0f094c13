//! Answers with the state they rest on, so that the next read can be at least as fresh.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::header::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use writ_contract::policy_change::Head;
use writ_contract::{ChainId, OrganizationId, Revision};
use writ_tokens::{ConsistencyToken, SeenRevision};

use crate::app::ReadApp;

const CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("writ-consistency-token");
const APPLIED_REVISION: HeaderName = HeaderName::from_static("writ-applied-revision");

/// The newest state of each chain that an answer rests on.
#[derive(Debug, Default)]
pub(super) struct SeenRevisions(BTreeMap<ChainId, Revision>);

impl SeenRevisions {
    /// Adds the states that one decision rests on.
    pub(super) fn add(&mut self, heads: &[Head]) {
        for head in heads {
            let revision = self.0.entry(head.chain).or_insert(head.revision);
            *revision = (*revision).max(head.revision);
        }
    }

    /// The chains of an organization of which anything is applied.
    fn of(&self, organization: OrganizationId) -> impl Iterator<Item = SeenRevision> {
        let seen = self.0.iter().map(|(chain, revision)| SeenRevision { chain: *chain, revision: *revision });
        seen.filter(move |seen| seen.chain.organization == organization && seen.revision.number > 0)
    }

    /// Such as `us/identity=1.42, eu/entities=1.3`.
    fn to_header(&self, organization: OrganizationId) -> String {
        let shown = self
            .of(organization)
            .map(|SeenRevision { chain, revision }| format!("{}/{}={revision}", chain.origin, chain.stream));
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// 200 with a body and the state it rests on.
pub(super) fn answer(
    app: &ReadApp,
    organization: OrganizationId,
    seen: &SeenRevisions,
    body: impl Serialize,
) -> Response {
    let token = ConsistencyToken { organization, seen: seen.of(organization).collect() };
    let mut response = Json(body).into_response();
    let headers =
        [(CONSISTENCY_TOKEN, app.consistency_key.issue(&token)), (APPLIED_REVISION, seen.to_header(organization))];
    for (name, text) in headers {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
