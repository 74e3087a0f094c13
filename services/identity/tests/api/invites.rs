use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use sqlx::PgPool;
use writ_contract::UserId;
use writ_contract::actor::ActorKind;
use writ_contract::identity_event::Change;
use writ_contract::row::{Token, TokenKind};

use crate::support::{World, id, text};

fn acceptance() -> Value {
    json!({"full_name": "Bob Builder", "preferred_name": "Bob", "token": {"name": "laptop", "ttl_seconds": 86400}})
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_invited_person_becomes_a_user(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let invitation = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    invitation.is(201);
    let bob: UserId = invitation.body["user_id"].as_str().unwrap().parse().unwrap();
    let [invited, issued] = world.last_changes(acme.id).await.try_into().unwrap();
    assert_eq!(invited, Change::UserInvited { user: bob });
    let Change::TokenIssued(Token { id: invite, principal, kind: TokenKind::Invite, .. }) = issued else {
        panic!("{issued:?}")
    };
    assert_eq!(principal, bob.into());
    let pending = world.get(&format!("/v3/users/{bob}"), &acme.token).await;
    assert_eq!((&pending.body["active"], &pending.body["full_name"]), (&json!(false), &Value::Null));

    let token = text(&invitation.body["invite_token"]);
    world.get("/v3/users/me", &token).await.is_problem(401);
    let accepted = world.post("/v3/invites/accept", &token, acceptance()).await;
    accepted.is(201);
    assert_eq!((id(&accepted.body["user"]), accepted.revision()), (bob, 3));
    assert_eq!(
        (&accepted.body["user"]["active"], &accepted.body["user"]["full_name"]),
        (&json!(true), &json!("Bob Builder"))
    );
    let me = world.get("/v3/users/me", accepted.body["token"]["konnect_token"].as_str().unwrap()).await;
    assert_eq!((me.status, &me.body), (200, &accepted.body["user"]));

    let (event, changes) = world.events(acme.id).await.pop().unwrap();
    assert_eq!((event.actor.kind, event.actor.id.as_str()), (ActorKind::User, bob.to_string().as_str()));
    let [activated, revoked, issued] = changes.try_into().unwrap();
    assert_eq!((activated, revoked), (Change::UserActivated { user: bob }, Change::TokenRevoked { token: invite }));
    assert!(
        matches!(issued, Change::TokenIssued(Token { principal, kind: TokenKind::Personal, .. }) if principal == bob.into())
    );
    world.post("/v3/invites/accept", &token, acceptance()).await.is_problem(401);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn without_asking_for_it_the_answer_is_empty(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let request = Request::post("/v3/invites")
        .header("authorization", format!("Bearer {}", acme.token))
        .header("content-type", "application/json")
        .body(Body::from(r#"{"email":"bob@acme.example"}"#));
    let reply = world.send(request.unwrap()).await;
    assert_eq!((reply.status, &reply.body, reply.revision()), (201, &Value::Null, 2));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_second_invitation_conflicts_until_the_first_has_lapsed(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let first = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    world.post("/v3/invites", &acme.token, json!({"email": "BOB@acme.example"})).await.is_problem(409);
    world.post("/v3/invites", &acme.token, json!({"email": "ada@acme.example"})).await.is_problem(409);

    sqlx::query("UPDATE token SET expires_at = now() WHERE kind = 'invite'").execute(&world.pool).await.unwrap();
    let lapsed = text(&first.body["invite_token"]);
    world.post("/v3/invites/accept", &lapsed, acceptance()).await.is_problem(401);
    let second = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    second.is(201);
    assert_eq!(second.body["user_id"], first.body["user_id"]);
    assert!(matches!(world.last_changes(acme.id).await[..], [Change::TokenRevoked { .. }, Change::TokenIssued(_)]));
    world.post("/v3/invites/accept", &text(&second.body["invite_token"]), acceptance()).await.is(201);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn two_who_accept_at_once_do_not_both_succeed(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let invitation = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    let token = text(&invitation.body["invite_token"]);
    let accept = || world.post("/v3/invites/accept", &token, acceptance());
    let replies = futures::future::join_all([accept(), accept(), accept(), accept()]).await;
    let accepted = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(accepted, 1, "{replies:?}");
    assert!(replies.iter().all(|reply| [201, 401, 404].contains(&reply.status)), "{replies:?}");
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn only_an_invitation_is_accepted(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    world.post("/v3/invites/accept", &acme.token, acceptance()).await.is_problem(401);
    let invitation = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    let token = text(&invitation.body["invite_token"]);
    world.post("/v3/invites/accept", &token, json!({})).await.is_invalid(&["token", "full_name"]);
    let wrong = json!({"full_name": "Bob", "token": {"name": "laptop", "ttl_seconds": 60}});
    world.post("/v3/invites/accept", &token, wrong).await.is_invalid(&["token.ttl_seconds"]);
    world.post("/v3/invites/accept", &token, acceptance()).await.is(201);
}
