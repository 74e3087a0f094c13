use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http::request::Builder;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;
use uuid::Uuid;
use writ_contract::Stream;
use writ_contract::identity_event::OrganizationState;
use writ_contract::policy_change::{ChangeSet, Operation, PrincipalKind};
use writ_log::consumer::Projection;
use writ_service::http::{RequestLimits, guarded};
use writ_tokens::{BearerToken, ConsistencyToken, EventToken, Position, hash_of};

use super::*;
use crate::decisions;
use crate::read_model::{ReadModel, store};
use crate::testing::*;

mod authenticate;
mod evaluate;
mod evaluate_several;
mod fresh;
mod scenario;

const PLATFORM_TOKEN: &str = "a platform's gateway";

/// The read API of one region over a prepared index.
struct Region {
    app: Router,
    model: ReadModel,
    world: World,
    tokens: Tokens,
    organization: Uuid,
    /// Kept, or decisions would have nowhere to go.
    _sending: decisions::Sending,
}

impl Region {
    /// With one organization, whose user may view everything in `eu` through a team, and with
    /// `cp-1` announced in `eu` and `cp-us` in `us`.
    async fn new() -> Self {
        let unreachable = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap();
        Self::over(unreachable).await
    }

    async fn over(pool: PgPool) -> Self {
        let organization = organization(1);
        let tokens = Tokens::of(organization);
        let model = read_model();
        let (recorder, sending) = decisions::recorder();
        let api = Api::new(Parts {
            region: LOCAL.parse().unwrap(),
            regions: vec![HOME.parse().unwrap(), LOCAL.parse().unwrap()],
            public_url: "https://read.eu.example".to_owned(),
            index: model.shared_index(),
            freshness: model.freshness(),
            waiting: Waiting { usual: Duration::from_millis(20), longest: Duration::from_secs(5) },
            pool,
            consistency_key: key(),
            platform: PlatformTokens::new(vec![hash_of("another"), hash_of(PLATFORM_TOKEN)]),
            recorder,
        });
        let app = guarded(router(api), RequestLimits { body: 300_000, ..RequestLimits::default() });
        let mut region = Self { app, model, world: World::default(), tokens, organization, _sending: sending };
        region.found();
        region
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
        assert!(effects.kept.is_empty() && effects.staged.is_empty());
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

    async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.app.clone().oneshot(request).await.unwrap();
        Answered::of(response).await
    }

    async fn ask(&self, request: Builder, body: &Value) -> Answered {
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

/// An answer, read whole.
#[derive(Debug)]
struct Answered {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl Answered {
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

fn may(subject: Uuid, action: &str, resource: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": subject},
        "action": {"name": action},
        "resource": {"type": "control_planes", "id": resource},
    })
}
