use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http::request::Builder;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;
use uuid::Uuid;
use writ_contract::policy_change::{ChangeSet, Operation};
use writ_contract::row::{OrganizationState, PrincipalKind};
use writ_contract::{OrganizationId, Revision, Stream, TokenId};
use writ_log::consumer::Projection;
use writ_service::http::{RequestLimits, guarded};
use writ_tokens::{BearerToken, ConsistencyToken, EventToken, SeenRevision, hash_of};

use super::*;
use crate::app::ReadApp;
use crate::decisions::{self, DecisionSender};
use crate::platform_tokens::PlatformTokens;
use crate::read_model::{MIGRATOR, ReadModel};
use crate::settings::WaitTimes;
use crate::testing::*;

mod authenticate;
mod evaluate;
mod evaluate_several;
mod fresh;
mod scenario;

const PLATFORM_TOKEN: &str = "a platform's gateway";

/// The read API of one region over a prepared index.
struct TestRegion {
    app: Router,
    model: ReadModel,
    world: AllAuthorizations,
    tokens: TestTokens,
    organization: OrganizationId,
    /// Kept, or decisions would have nowhere to go.
    _sender: DecisionSender,
}

impl TestRegion {
    /// With one organization, whose user may view everything in `eu` through a team, and with
    /// `cp-1` announced in `eu` and `cp-us` in `us`.
    async fn new() -> Self {
        let unreachable = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap();
        Self::over(unreachable).await
    }

    async fn over(pool: PgPool) -> Self {
        let organization = organization(1);
        let tokens = TestTokens::of(organization);
        let model = read_model();
        let (recorder, sender) = decisions::recorder(region(LOCAL));
        let app = ReadApp {
            region: region(LOCAL),
            regions: vec![region(HOME), region(LOCAL)],
            public_url: "https://read.eu.example".to_owned(),
            index: model.index.clone(),
            freshness: model.freshness.clone(),
            wait_times: WaitTimes { default: Duration::from_millis(20), max: Duration::from_secs(5) },
            pool,
            consistency_key: key(),
            platform: PlatformTokens::new(vec![hash_of("another"), hash_of(PLATFORM_TOKEN)]),
            recorder,
        };
        let app = guarded(router(app), RequestLimits { body: 300_000, ..RequestLimits::default() });
        let world = AllAuthorizations::default();
        let mut this = Self { app, model, world, tokens, organization, _sender: sender };
        this.found();
        this
    }

    fn found(&mut self) {
        let sets = self.world.found(self.organization, &self.tokens);
        self.apply(HOME, &sets);
        self.change(vec![grant(10, TEAM, "control_planes.viewer", "control_planes", None, Some(LOCAL))]);
        let announced = self.world.announce(self.organization, LOCAL, "cp-1");
        self.apply(LOCAL, &[announced]);
        let announced = self.world.announce(self.organization, HOME, "cp-us");
        self.apply(HOME, &[announced]);
    }

    fn apply(&mut self, origin: &str, sets: &[ChangeSet]) {
        let records: Vec<_> = sets.iter().map(|set| record(origin, set)).collect();
        let effects = self.model.plan(&records);
        assert!(effects.parked.is_empty() && effects.own.staged.is_empty());
        self.model.committed(effects);
    }

    /// Changes the organization at home, and has it arrive here.
    fn change(&mut self, ops: Vec<Operation>) {
        let set = self.change_at_home(ops);
        self.apply(HOME, &[set]);
    }

    /// Changes the organization at home only.
    fn change_at_home(&mut self, ops: Vec<Operation>) -> ChangeSet {
        self.world.seal(&chain(self.organization, HOME, Stream::Identity), ops)
    }

    fn post(path: &str) -> Builder {
        Request::post(path).header("content-type", "application/json")
    }

    fn as_user(&self) -> Builder {
        Self::post("/access/v1/evaluation").header("authorization", bearer(&self.tokens.user))
    }

    fn as_owner(&self, path: &str) -> Builder {
        Self::post(path).header("authorization", bearer(&self.tokens.owner))
    }

    fn as_platform(&self, path: &str) -> Builder {
        Self::post(path)
            .header("authorization", format!("Bearer {PLATFORM_TOKEN}"))
            .header("writ-organization", self.organization.to_string())
    }

    async fn send(&self, request: Request<Body>) -> TestAnswer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        TestAnswer::of(response).await
    }

    async fn ask(&self, request: Builder, body: &Value) -> TestAnswer {
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

/// An answer, read whole.
#[derive(Debug)]
struct TestAnswer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl TestAnswer {
    async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Self { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    fn decision(&self) -> bool {
        self.json()["decision"].as_bool().unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Refused with a plain string, as AuthZEN has it.
    fn refused(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.header("content-type").starts_with("text/plain"), "{self:?}");
        assert!(!self.body.is_empty());
        &self.body
    }
}

fn key() -> writ_tokens::ConsistencyKey {
    "ab".repeat(32).parse().unwrap()
}

fn bearer(token: &BearerToken) -> String {
    format!("Bearer {}", token.expose())
}

fn may(subject: impl ToString, action: &str, resource: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": subject.to_string()},
        "action": {"name": action},
        "resource": {"type": "control_planes", "id": resource},
    })
}
