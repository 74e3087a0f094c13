//! An organization is not locked out, and there is a way back in.

use http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use writ_contract::actor::ActorKind;
use writ_contract::identity_event::Change;
use writ_contract::row::{Token, TokenKind};
use writ_contract::{TokenId, UserId};
use writ_identity::jobs::{AccessCounts, count_accesses};
use writ_log::loops::LoopTurns;

use crate::support::{OPERATOR, Organization, World, id, text};

/// Of a user's tokens, the path.
fn tokens(user: UserId) -> String {
    format!("/v3/users/{user}/access-tokens")
}

async fn first_token(world: &World, acme: &Organization) -> String {
    let listed = world.get(&tokens(acme.owner), &acme.token).await;
    format!("{}/{}", tokens(acme.owner), listed.column("id")[0])
}

async fn make_administrator(world: &World, acme: &Organization, user: UserId) {
    let role = json!({"role_name": "Admin", "entity_type_name": "Identity", "entity_id": "*", "entity_region": "*"});
    world.post(&format!("/v3/users/{user}/assigned-roles"), &acme.token, role).await.is(201);
}

async fn expire_tokens_of(world: &World, user: UserId) {
    let expire = "UPDATE token SET expires_at = clock_timestamp() WHERE principal = $1";
    sqlx::query(expire).bind(user).execute(&world.pool).await.unwrap();
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_last_token_of_the_last_administrator_is_not_given_up(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let first = first_token(&world, &acme).await;
    for refused in [
        world.delete(&first, &acme.token).await,
        world.call(Method::PATCH, &format!("{first}/revoke"), &acme.token, None).await,
    ] {
        refused.is_problem(409);
        assert!(refused.body["detail"].as_str().unwrap().contains("last valid token"), "{}", refused.body);
    }
    assert_eq!((world.events(acme.id).await.len(), world.get("/v3/users/me", &acme.token).await.status), (1, 200));

    // An expired or revoked token is no way in; another valid one is.
    let body = json!({"name": "second", "ttl_seconds": 86400});
    let second = world.post(&tokens(acme.owner), &acme.token, body.clone()).await;
    let second = format!("{}/{}", tokens(acme.owner), id::<TokenId>(&second.body));
    world.call(Method::PATCH, &format!("{second}/revoke"), &acme.token, None).await.is(200);
    world.delete(&first, &acme.token).await.is_problem(409);
    world.delete(&second, &acme.token).await.is(204);
    let third = world.post(&tokens(acme.owner), &acme.token, body).await;
    world.delete(&first, &acme.token).await.is(204);
    let third_path = format!("{}/{}", tokens(acme.owner), id::<TokenId>(&third.body));
    world.delete(&third_path, &text(&third.body["konnect_token"])).await.is_problem(409);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn only_administrators_who_can_come_in_count(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    make_administrator(&world, &acme, bob.id).await;
    expire_tokens_of(&world, bob.id).await;
    let admins = world.administrators(&acme).await;
    let first = first_token(&world, &acme).await;
    for refused in [
        world.delete(&first, &acme.token).await,
        world.delete(&format!("/v3/users/{}", acme.owner), &acme.token).await,
        world.delete(&format!("/v3/teams/{admins}/users/{}", acme.owner), &acme.token).await,
    ] {
        refused.is_problem(409);
    }
    // Bob's end nothing: he could not come in anyway.
    world.delete(&format!("/v3/users/{}", bob.id), &acme.token).await.is(204);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn who_is_no_administrator_ends_any_token(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    expire_tokens_of(&world, acme.owner).await;
    let own = world.get(&tokens(bob.id), &bob.token).await.column("id")[0].to_owned();
    world.delete(&format!("{}/{own}", tokens(bob.id)), &bob.token).await.is(204);
}

fn new_token() -> Value {
    json!({"token": {"name": "recovered", "ttl_seconds": 86400}})
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_operator_lets_a_locked_out_administrator_in_again(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    expire_tokens_of(&world, acme.owner).await;
    world.get("/v3/users/me", &acme.token).await.is_problem(401);

    let path = format!("/v3/organizations/{}/recovery-invitations", acme.id);
    let invited = world.post(&path, OPERATOR, json!({"user_id": acme.owner})).await;
    invited.is(201);
    assert_eq!(invited.body["user_id"], json!(acme.owner));
    let end = OffsetDateTime::parse(invited.body["expires_at"].as_str().unwrap(), &Rfc3339).unwrap();
    assert!((end - OffsetDateTime::now_utc() - Duration::days(1)).abs() < Duration::minutes(1));
    let (event, changes) = world.events(acme.id).await.pop().unwrap();
    assert_eq!(event.actor.kind, ActorKind::Operator);
    let [Change::TokenIssued(Token { id: invitation, principal, kind: TokenKind::Invite, .. })] = changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(principal, acme.owner.into());

    let token = text(&invited.body["invite_token"]);
    world.get("/v3/users/me", &token).await.is_problem(401);
    let first_time = json!({"full_name": "Eve", "token": {"name": "x", "ttl_seconds": 86400}});
    world.post("/v3/invites/accept", &token, first_time).await.is_problem(401);
    let recovered = world.post("/v3/recovery-invitations/accept", &token, new_token()).await;
    recovered.is(201);
    assert_eq!(recovered.body["user"]["full_name"], "Ada Lovelace");
    world.get("/v3/users", &text(&recovered.body["token"]["konnect_token"])).await.is(200);
    let (event, changes) = world.events(acme.id).await.pop().unwrap();
    assert_eq!((event.actor.kind, event.actor.id.as_str()), (ActorKind::User, acme.owner.to_string().as_str()));
    assert!(matches!(changes[..], [Change::TokenRevoked { token }, Change::TokenIssued(_)] if token == invitation));
    world.post("/v3/recovery-invitations/accept", &token, new_token()).await.is_problem(401);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn only_an_active_administrator_is_recovered_by_the_operator(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    let path = format!("/v3/organizations/{}/recovery-invitations", acme.id);
    let pending = world.post("/v3/invites", &acme.token, json!({"email": "eve@acme.example"})).await;
    for (user, status) in [(json!(bob.id), 409), (pending.body["user_id"].clone(), 409), (json!(Uuid::now_v7()), 404)] {
        world.post(&path, OPERATOR, json!({ "user_id": user })).await.is_problem(status);
    }
    world.post(&path, OPERATOR, json!({"user_id": "ada"})).await.is_invalid(&["user_id"]);
    world.post(&path, &acme.token, json!({"user_id": acme.owner})).await.is_problem(403);
    let unknown = format!("/v3/organizations/{}/recovery-invitations", Uuid::now_v7());
    world.post(&unknown, OPERATOR, json!({"user_id": acme.owner})).await.is_problem(404);
    world.patch(&format!("/v3/organizations/{}", acme.id), OPERATOR, json!({"state": "inactive"})).await.is(200);
    world.post(&path, OPERATOR, json!({"user_id": acme.owner})).await.is_problem(409);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_administrator_lets_a_user_in_again(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    expire_tokens_of(&world, bob.id).await;
    let path = format!("/v3/users/{}/recovery-invitations", bob.id);
    let first = world.call(Method::POST, &path, &acme.token, None).await;
    let second = world.call(Method::POST, &path, &acme.token, None).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert!(matches!(world.last_changes(acme.id).await[..], [Change::TokenRevoked { .. }, Change::TokenIssued(_)]));
    let accept = "/v3/recovery-invitations/accept";
    world.post(accept, &text(&first.body["invite_token"]), new_token()).await.is_problem(401);
    let recovered = world.post(accept, &text(&second.body["invite_token"]), new_token()).await;
    recovered.is(201);
    let token = text(&recovered.body["token"]["konnect_token"]);
    world.get("/v3/users/me", &token).await.is(200);
    world.call(Method::POST, &path, &token, None).await.is_problem(403);
    world.post(accept, &token, new_token()).await.is_problem(401);
}

async fn expire_in(world: &World, user: UserId, interval: &str) {
    let expire = "UPDATE token SET expires_at = clock_timestamp() + $2::interval WHERE principal = $1";
    sqlx::query(expire).bind(user).bind(interval).execute(&world.pool).await.unwrap();
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_administrator_is_warned_before_the_last_token_expires(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    let warning = async |token: &str| {
        let me = world.get("/v3/users/me", token).await;
        me.is(200);
        me.headers.get("writ-warning").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(warning(&acme.token).await, None, "thirty days are left");
    assert_eq!(count_accesses(&world.store, &LoopTurns::new("test")).await.unwrap(), AccessCounts::default());

    expire_in(&world, acme.owner, "6 days").await;
    let warned = warning(&acme.token).await.unwrap();
    assert!(warned.starts_with("administrator-tokens-expire; last=\"20"), "{warned}");
    assert_eq!(warning(&bob.token).await, None, "who is no administrator is not told");
    assert_eq!(
        count_accesses(&world.store, &LoopTurns::new("test")).await.unwrap(),
        AccessCounts { ending: 1, lost: 0 }
    );

    make_administrator(&world, &acme, bob.id).await;
    expire_in(&world, bob.id, "20 days").await;
    assert_eq!(warning(&acme.token).await, None, "another administrator stays");
    expire_in(&world, bob.id, "0 days").await;
    assert!(warning(&acme.token).await.is_some());
    expire_in(&world, acme.owner, "0 days").await;
    assert_eq!(
        count_accesses(&world.store, &LoopTurns::new("test")).await.unwrap(),
        AccessCounts { ending: 0, lost: 1 }
    );
}
