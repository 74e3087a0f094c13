//! An identity service without a network, and what tests ask of it.

use std::fmt::Debug;
use std::str::FromStr;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::oneshot;
use tower::ServiceExt;
use writ_contract::identity_event::{Change, Changes, IdentityEvent};
use writ_contract::organization::OrganizationEntry;
use writ_contract::{OrganizationId, Record, SchemaRegistry, TeamId, UserId, decode};
use writ_identity::app::{App, Platform};
use writ_identity::http::router;
use writ_identity::store::{OutboxRoom, Store};
use writ_service::http::{RequestLimits, guarded};
use writ_tokens::{ConsistencyKey, SeenRevision, hash_of};

pub(crate) const OPERATOR: &str = "an-operator-token-of-enough-characters";

/// The service of region `us`, of a platform that has `us` and `eu`.
pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) store: Store,
    pub(crate) app: App,
    router: Router,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// An organization with its owner.
pub(crate) struct Organization {
    pub(crate) id: OrganizationId,
    pub(crate) owner: UserId,
    pub(crate) token: String,
}

/// An active user with a token.
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) token: String,
}

pub(crate) fn consistency_key() -> ConsistencyKey {
    "5a".repeat(32).parse().unwrap()
}

impl World {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self::with_room(pool, 1_000_000)
    }

    /// With an outbox in which at most `maximum` records wait.
    pub(crate) fn with_room(pool: PgPool, maximum: u64) -> Self {
        let store = Store::new(pool.clone(), pool.clone(), "us".parse().unwrap(), OutboxRoom::new(maximum));
        let platform = Platform {
            regions: ["us", "eu"].map(|code| code.parse().unwrap()).to_vec(),
            homes: [("us", "http://us.test"), ("eu", "http://eu.test")]
                .map(|(code, url)| (code.parse().unwrap(), url.parse().unwrap()))
                .into(),
            operator: hash_of(OPERATOR),
            consistency: consistency_key(),
        };
        let app = App::new(store.clone(), platform);
        let router = guarded(router(app.clone()), RequestLimits::default());
        Self { pool, store, app, router }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("prefer", "return=representation");
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    /// A POST with an `Idempotency-Key`.
    pub(crate) async fn post_once(&self, path: &str, token: &str, key: &str, body: &Value) -> Reply {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("prefer", "return=representation")
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.call(Method::GET, path, token, None).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.call(Method::POST, path, token, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: Value) -> Reply {
        self.call(Method::PATCH, path, token, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Reply {
        self.call(Method::DELETE, path, token, None).await
    }

    /// Sends a request whose body arrives only when `meanwhile` is over, which begins when the body is asked for: the
    /// caller has been let in by then.
    pub(crate) async fn interrupted<T>(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Value,
        meanwhile: impl Future<Output = T>,
    ) -> (Reply, T) {
        let ((asked, is_asked), (release, released)) = (oneshot::channel(), oneshot::channel());
        let arrives = async move {
            asked.send(()).unwrap();
            released.await.unwrap();
            Ok::<_, std::io::Error>(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from_stream(futures::stream::once(arrives)));
        let meanwhile = async {
            is_asked.await.unwrap();
            let done = meanwhile.await;
            release.send(()).unwrap();
            done
        };
        tokio::join!(self.send(request.unwrap()), meanwhile)
    }

    pub(crate) async fn organization(&self) -> Organization {
        let body = json!({"name": "Acme", "owner": {"email": "ada@acme.example", "full_name": "Ada Lovelace"}});
        let reply = self.post("/v3/organizations", OPERATOR, body).await;
        reply.is(201);
        Organization {
            id: id(&reply.body["organization"]),
            owner: id(&reply.body["owner"]),
            token: text(&reply.body["token"]["konnect_token"]),
        }
    }

    /// A user who was invited and has accepted.
    pub(crate) async fn user(&self, organization: &Organization, email: &str) -> User {
        let invitation = self.post("/v3/invites", &organization.token, json!({ "email": email })).await;
        invitation.is(201);
        let body = json!({"full_name": "Bob Builder", "token": {"name": "laptop", "ttl_seconds": 86400}});
        let invite_token = text(&invitation.body["invite_token"]);
        let accepted = self.post("/v3/invites/accept", &invite_token, body).await;
        accepted.is(201);
        User { id: id(&accepted.body["user"]), token: text(&accepted.body["token"]["konnect_token"]) }
    }

    pub(crate) async fn team(&self, organization: &Organization, name: &str) -> TeamId {
        let reply = self.post("/v3/teams", &organization.token, json!({ "name": name })).await;
        reply.is(201);
        id(&reply.body)
    }

    /// The system team of administrators.
    pub(crate) async fn administrators(&self, organization: &Organization) -> TeamId {
        let teams = self.get("/v3/teams", &organization.token).await;
        let system = teams.body["data"].as_array().unwrap().iter().find(|team| team["system_team"] == true);
        id(system.unwrap())
    }

    async fn records<R: Record>(&self, topic: &str, organization: OrganizationId) -> Vec<R> {
        let values: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT value FROM outbox WHERE topic = $1 AND key = $2 ORDER BY id")
                .bind(topic)
                .bind(organization.to_string().into_bytes())
                .fetch_all(&self.pool)
                .await
                .unwrap();
        values.iter().map(|value| decode(value, &SchemaRegistry::default()).unwrap()).collect()
    }

    /// The events of an organization that wait in the outbox: all of them.
    pub(crate) async fn events(&self, organization: OrganizationId) -> Vec<(IdentityEvent, Vec<Change>)> {
        let events: Vec<IdentityEvent> = self.records("identity-events", organization).await;
        let changes =
            |event: &IdentityEvent| decode::<Changes>(&event.payload, &SchemaRegistry::default()).unwrap().changes;
        events.into_iter().map(|event| (event.clone(), changes(&event))).collect()
    }

    pub(crate) async fn last_changes(&self, organization: OrganizationId) -> Vec<Change> {
        self.events(organization).await.pop().unwrap().1
    }

    /// The entries of the directory that wait in the outbox.
    pub(crate) async fn entries(&self, organization: OrganizationId) -> Vec<OrganizationEntry> {
        self.records("organizations", organization).await
    }
}

impl Reply {
    /// Checks the status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.body);
    }

    /// Checks that the request was refused with this status, as `application/problem+json`.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16) {
        self.is(status);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        for member in ["title", "instance", "detail"] {
            assert!(self.body[member].is_string(), "{member} in {}", self.body);
        }
    }

    /// Checks that the request was refused because of these parameters.
    #[track_caller]
    pub(crate) fn is_invalid(&self, fields: &[&str]) {
        self.is_problem(400);
        let refused = self.body["invalid_parameters"].as_array().unwrap();
        let names: Vec<&str> = refused.iter().map(|one| one["field"].as_str().unwrap()).collect();
        assert_eq!(names, fields, "{}", self.body);
        assert!(refused.iter().all(|one| one["reason"].is_string()));
    }

    /// The state that the consistency token stands for.
    pub(crate) fn seen(&self) -> (OrganizationId, SeenRevision) {
        let token = self.headers["writ-consistency-token"].to_str().unwrap();
        let token = consistency_key().parse(token).unwrap();
        let [seen] = token.seen.try_into().unwrap();
        (token.organization, seen)
    }

    pub(crate) fn revision(&self) -> i64 {
        self.seen().1.revision.number
    }

    /// The value of `member` in each row of a list.
    pub(crate) fn column(&self, member: &str) -> Vec<&str> {
        self.body["data"].as_array().unwrap().iter().map(|row| row[member].as_str().unwrap()).collect()
    }
}

/// The `id` of a JSON object.
pub(crate) fn id<Id: FromStr<Err: Debug>>(object: &Value) -> Id {
    object["id"].as_str().unwrap().parse().unwrap()
}

/// A JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
