use axum::body::Body;
use http::Request;
use serde_json::json;
use sqlx::PgPool;

use writ_contract::{TeamId, TokenId, UserId};

use crate::support::{OPERATOR, World, id, text};

/// Occurs in every name, address, label and description of the story below.
const MARK: &str = "quetzalcoatl";

/// A story that uses each place where something personal can be said.
async fn story(world: &World) {
    let owner =
        json!({"email": format!("ada@{MARK}.example"), "full_name": format!("Ada {MARK}"), "preferred_name": MARK});
    let token = json!({"name": format!("{MARK} first"), "ttl_seconds": 86400});
    let founded =
        world.post("/v3/organizations", OPERATOR, json!({"name": MARK, "owner": owner, "token": token})).await;
    founded.is(201);
    let (admin, owner): (_, UserId) = (text(&founded.body["token"]["konnect_token"]), id(&founded.body["owner"]));
    let invitation = world.post("/v3/invites", &admin, json!({"email": format!("bob@{MARK}.example")})).await;
    let accept = json!({"full_name": MARK, "preferred_name": MARK, "token": {"name": MARK, "ttl_seconds": 86400}});
    world.post("/v3/invites/accept", &text(&invitation.body["invite_token"]), accept).await.is(201);
    let team = json!({"name": MARK, "description": MARK, "labels": {MARK: MARK}});
    let team: TeamId = id(&world.post("/v3/teams", &admin, team).await.body);
    let update = json!({"name": format!("{MARK} 2"), "description": "gone", "labels": {format!("{MARK}2"): MARK}});
    world.patch(&format!("/v3/teams/{team}"), &admin, update).await.is(200);
    world.patch(&format!("/v3/users/{owner}"), &admin, json!({"full_name": format!("{MARK} 2")})).await.is(200);
    let tokens = format!("/v3/users/{owner}/access-tokens");
    let token: TokenId = id(&world.post(&tokens, &admin, json!({"name": MARK, "ttl_seconds": 86400})).await.body);
    world.patch(&format!("{tokens}/{token}"), &admin, json!({"name": format!("{MARK} 2")})).await.is(200);
}

fn holds_mark(bytes: &[u8]) -> bool {
    bytes.windows(MARK.len()).any(|window| window.eq_ignore_ascii_case(MARK.as_bytes()))
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn nothing_personal_goes_to_the_log(pool: PgPool) {
    let world = World::new(pool);
    story(&world).await;
    let rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT key, headers, value FROM outbox").fetch_all(&world.pool).await.unwrap();
    assert_eq!(rows.len(), 9, "eight events and an entry of the directory");
    assert!(rows.iter().all(|(key, headers, value)| ![key, headers, value].into_iter().any(|bytes| holds_mark(bytes))));
    let at_home: String =
        sqlx::query_scalar("SELECT json_agg(u)::text FROM user_account u").fetch_one(&world.pool).await.unwrap();
    assert!(holds_mark(at_home.as_bytes()), "the scan finds what it looks for");
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_clients_request_id_stays_in_the_answer(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let request = Request::post("/v3/teams")
        .header("authorization", format!("Bearer {}", acme.token))
        .header("content-type", "application/json")
        .header("x-request-id", format!("john.{MARK}:42"))
        .body(Body::from(r#"{"name":"Operators"}"#));
    let reply = world.send(request.unwrap()).await;
    reply.is(201);
    assert_eq!(reply.headers["x-request-id"], format!("john.{MARK}:42").as_str());
    let (event, _) = world.events(acme.id).await.pop().unwrap();
    event.request_id.unwrap().as_str().parse::<uuid::Uuid>().unwrap();
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT headers, value FROM outbox").fetch_all(&world.pool).await.unwrap();
    assert!(rows.iter().all(|(headers, value)| !holds_mark(headers) && !holds_mark(value)));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn no_secret_is_stored_or_sent(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let secret = acme.token.rsplit('_').next().unwrap().to_owned();
    let tokens: String =
        sqlx::query_scalar("SELECT json_agg(t)::text FROM token t").fetch_one(&world.pool).await.unwrap();
    let outbox: String =
        sqlx::query_scalar("SELECT json_agg(o)::text FROM outbox o").fetch_one(&world.pool).await.unwrap();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    for stored in [tokens, outbox] {
        assert!(!stored.contains(&secret) && !stored.contains(&hex));
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_error_repeats_no_value(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    for reply in [
        world.post("/v3/invites", &acme.token, json!({"email": format!("{MARK} {MARK}")})).await,
        world.post("/v3/invites", &acme.token, json!({"email": "ada@acme.example"})).await,
        world.post("/v3/teams", &acme.token, json!({"name": format!("{MARK}\0")})).await,
        world.post("/v3/teams", &acme.token, json!({"name": "x", "labels": {format!("kong{MARK}"): MARK}})).await,
        world.post("/v3/teams", &acme.token, json!({"name": "x", "labels": {"a": format!("-{MARK}")}})).await,
        world.get(&format!("/v3/users?filter[email][eq]={MARK}%00"), &acme.token).await,
        world.get(&format!("/v3/users/{MARK}"), &acme.token).await,
    ] {
        assert!(reply.status >= 400);
        let text = reply.body.to_string();
        assert!(!holds_mark(text.as_bytes()) && !text.contains("ada@"), "{text}");
    }
}
