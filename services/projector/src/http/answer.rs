//! Answers with the state they rest on, so that the next read can be at least as fresh.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::header::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use uuid::Uuid;
use writ_contract::ChainId;
use writ_contract::policy_change::Head;
use writ_tokens::{ConsistencyToken, Position};

use super::state::Api;

const CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("writ-consistency-token");
const APPLIED_REVISION: HeaderName = HeaderName::from_static("writ-applied-revision");

/// The newest state of each chain that an answer rests on.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<ChainId, (i64, i64)>);

impl Seen {
    /// Adds the states that one decision rests on.
    pub(super) fn add(&mut self, heads: Vec<Head>) {
        for head in heads {
            let place = self.0.entry(head.chain).or_default();
            *place = (*place).max((head.epoch, head.revision));
        }
    }

    /// Of an organization's own chains, those of which anything is applied.
    fn of(&self, organization: Uuid) -> impl Iterator<Item = (&ChainId, (i64, i64))> {
        let own = move |(chain, place): &(&ChainId, (i64, i64))| chain.organization == organization && place.1 > 0;
        self.0.iter().map(|(chain, place)| (chain, *place)).filter(own)
    }

    /// Such as `us/identity=1.42, eu/entities=1.3`.
    fn revisions(&self, organization: Uuid) -> String {
        let shown = self
            .of(organization)
            .map(|(chain, (epoch, revision))| format!("{}/{}={epoch}.{revision}", chain.origin, chain.stream));
        shown.collect::<Vec<_>>().join(", ")
    }

    fn positions(&self, organization: Uuid) -> Vec<Position> {
        let known = self.of(organization).filter_map(|(chain, (epoch, revision))| {
            Some(Position { origin: chain.origin.parse().ok()?, stream: chain.stream, epoch, revision })
        });
        known.collect()
    }
}

impl Api {
    /// 200 with a body and the state it rests on.
    pub(super) fn answer(&self, organization: Uuid, seen: &Seen, body: impl Serialize) -> Response {
        let positions = seen.positions(organization);
        let token = self.consistency_key.issue(&ConsistencyToken { organization, positions });
        let mut response = Json(body).into_response();
        let headers = [(CONSISTENCY_TOKEN, token), (APPLIED_REVISION, seen.revisions(organization))];
        for (name, text) in headers {
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
