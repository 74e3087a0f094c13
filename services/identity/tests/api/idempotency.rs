//! A request that is sent again is not made again, and what exists already is named.

use serde_json::{Value, json};
use sqlx::PgPool;
use writ_identity::jobs::delete_answers;
use writ_log::loops::LoopTurns;

use crate::support::{OPERATOR, Reply, World, text};

#[track_caller]
fn same(first: &Reply, again: &Reply) {
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for header in ["writ-consistency-token", "content-type"] {
        assert_eq!(again.headers.get(header), first.headers.get(header), "{header}");
    }
}

async fn kept(world: &World) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM kept_answer").fetch_one(&world.pool).await.unwrap()
}

fn viewer() -> Value {
    json!({"role_name": "Viewer", "entity_type_name": "Control Planes", "entity_id": "*", "entity_region": "eu"})
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn whatever_is_created_is_created_once(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let (team, bob) = (world.team(&acme, "Operators").await, world.user(&acme, "bob@acme.example").await);
    for (n, (path, body)) in [
        ("/v3/teams".to_owned(), json!({"name": "once"})),
        (format!("/v3/teams/{team}/users"), json!({"id": bob.id})),
        (format!("/v3/teams/{team}/assigned-roles"), viewer()),
        (format!("/v3/users/{}/assigned-roles", bob.id), viewer()),
        (format!("/v3/users/{}/access-tokens", acme.owner), json!({"name": "ci", "ttl_seconds": 86400})),
        ("/v3/invites".to_owned(), json!({"email": "eve@acme.example"})),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("key-{n}");
        let first = world.post_once(&path, &acme.token, &key, &body).await;
        first.is(201);
        let events = world.events(acme.id).await.len();
        same(&first, &world.post_once(&path, &acme.token, &key, &body).await);
        assert_eq!(world.events(acme.id).await.len(), events, "{path}");
    }
    let teams = world.get("/v3/teams?filter[name][eq]=once", &acme.token).await;
    assert_eq!(teams.body["meta"]["page"]["total"], 1);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_key_belongs_to_one_request_of_one_caller(pool: PgPool) {
    let world = World::new(pool);
    let (acme, other) = (world.organization().await, world.organization().await);
    let body = json!({"name": "once"});
    let first = world.post_once("/v3/teams", &acme.token, "key", &body).await;
    first.is(201);
    world.post_once("/v3/teams", &acme.token, "key", &json!({"name": "twice"})).await.is_problem(409);
    let roles = format!("/v3/users/{}/assigned-roles", acme.owner);
    world.post_once(&roles, &acme.token, "key", &viewer()).await.is_problem(409);
    let of_another = world.post_once("/v3/teams", &other.token, "key", &body).await;
    of_another.is(201);
    assert_ne!(of_another.body["id"], first.body["id"]);
    world.post_once("/v3/teams", &acme.token, "another", &body).await.is(201);
    world.post("/v3/teams", &acme.token, body.clone()).await.is(201);
    for wrong in ["", "a b", &"k".repeat(256)] {
        world.post_once("/v3/teams", &acme.token, wrong, &body).await.is_invalid(&["Idempotency-Key"]);
    }
    world.post_once("/v3/teams", &acme.token, &"k".repeat(255), &body).await.is(201);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn requests_at_the_same_time_get_one_answer(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let team = json!({"name": "once"});
    let replies =
        futures::future::join_all((0..6).map(|_| world.post_once("/v3/teams", &acme.token, "key", &team))).await;
    replies.iter().for_each(|reply| same(&replies[0], reply));
    assert_eq!((replies[0].status, world.events(acme.id).await.len()), (201, 2));

    let organization = json!({"name": "Once", "owner": {"email": "ada@acme.example", "full_name": "Ada"}});
    let create = || world.post_once("/v3/organizations", OPERATOR, "key", &organization);
    let replies = futures::future::join_all((0..6).map(|_| create())).await;
    replies.iter().for_each(|reply| same(&replies[0], reply));
    assert_eq!(replies[0].status, 201);
    let organizations: i64 = sqlx::query_scalar("SELECT count(*) FROM organization WHERE name = 'Once'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(organizations, 1);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_secret_is_answered_again_and_cannot_be_read_in_the_database(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}/access-tokens", acme.owner);
    let body = json!({"name": "quetzalcoatl", "ttl_seconds": 86400});
    let first = world.post_once(&path, &acme.token, "key", &body).await;
    same(&first, &world.post_once(&path, &acme.token, "key", &body).await);
    let secret = text(&first.body["konnect_token"]);
    world.get("/v3/users/me", &secret).await.is(200);
    let stored: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT answer FROM kept_answer").fetch_all(&world.pool).await.unwrap();
    for text in [secret.as_str(), "quetzalcoatl", "konnect_token"] {
        let holds = |bytes: &Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(stored.len() == 1 && !stored.iter().any(holds), "{text}");
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_acceptance_is_answered_again_although_the_invitation_is_used(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let invitation = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    let token = text(&invitation.body["invite_token"]);
    let accept = json!({"full_name": "Bob", "token": {"name": "laptop", "ttl_seconds": 86400}});
    let first = world.post_once("/v3/invites/accept", &token, "key", &accept).await;
    first.is(201);
    same(&first, &world.post_once("/v3/invites/accept", &token, "key", &accept).await);
    let other = json!({"full_name": "Eve", "token": {"name": "laptop", "ttl_seconds": 86400}});
    world.post_once("/v3/invites/accept", &token, "key", &other).await.is_problem(409);
    world.post_once("/v3/invites/accept", &token, "another", &accept).await.is_problem(401);
    world.post("/v3/invites/accept", &token, accept.clone()).await.is_problem(401);
    world.get("/v3/users/me", &text(&first.body["token"]["konnect_token"])).await.is(200);

    let path = format!("/v3/organizations/{}/recovery-invitations", acme.id);
    let recovery = world.post_once(&path, OPERATOR, "key", &json!({"user_id": acme.owner})).await;
    same(&recovery, &world.post_once(&path, OPERATOR, "key", &json!({"user_id": acme.owner})).await);
    let (token, accept) =
        (text(&recovery.body["invite_token"]), json!({"token": {"name": "recovered", "ttl_seconds": 86400}}));
    let path = "/v3/recovery-invitations/accept";
    let first = world.post_once(path, &token, "key", &accept).await;
    first.is(201);
    same(&first, &world.post_once(path, &token, "key", &accept).await);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_refusal_is_not_kept(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let team = world.team(&acme, "Operators").await;
    let (path, body) = (format!("/v3/teams/{team}/users"), json!({"id": acme.owner}));
    world.post(&path, &acme.token, body.clone()).await.is(201);
    world.post_once(&path, &acme.token, "key", &body).await.is_problem(409);
    world.delete(&format!("{path}/{}", acme.owner), &acme.token).await.is(204);
    world.post_once(&path, &acme.token, "key", &body).await.is(201);
    assert_eq!(kept(&world).await, 1);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_answer_is_kept_for_a_day(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let body = json!({"name": "once"});
    let first = world.post_once("/v3/teams", &acme.token, "key", &body).await;
    world.post_once("/v3/teams", &acme.token, "other", &body).await.is(201);
    let grow_old = "UPDATE kept_answer SET kept_at = kept_at - $1::interval";
    sqlx::query(grow_old).bind("23 hours").execute(&world.pool).await.unwrap();
    delete_answers(&world.store, &LoopTurns::new("test")).await.unwrap();
    same(&first, &world.post_once("/v3/teams", &acme.token, "key", &body).await);
    sqlx::query(grow_old).bind("1 hour").execute(&world.pool).await.unwrap();
    let second = world.post_once("/v3/teams", &acme.token, "key", &body).await;
    second.is(201);
    assert_ne!(second.body["id"], first.body["id"]);
    same(&second, &world.post_once("/v3/teams", &acme.token, "key", &body).await);
    delete_answers(&world.store, &LoopTurns::new("test")).await.unwrap();
    assert_eq!(kept(&world).await, 1, "the other is gone");
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn answers_go_with_their_user(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    let path = format!("/v3/users/{}/access-tokens", bob.id);
    world.post_once(&path, &bob.token, "key", &json!({"name": "ci", "ttl_seconds": 86400})).await.is(201);
    world.post_once("/v3/teams", &acme.token, "key", &json!({"name": "once"})).await.is(201);
    world.delete(&format!("/v3/users/{}", bob.id), &acme.token).await.is(204);
    assert_eq!(kept(&world).await, 1);
    world.delete(&format!("/v3/organizations/{}", acme.id), OPERATOR).await.is(204);
    assert_eq!(kept(&world).await, 0);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_conflict_names_what_exists(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let team = world.team(&acme, "Operators").await;
    let pending = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    let roles = format!("/v3/teams/{team}/assigned-roles");
    let assigned = world.post(&roles, &acme.token, viewer()).await;
    let members = format!("/v3/teams/{team}/users");
    world.post(&members, &acme.token, json!({"id": acme.owner})).await.is(201);
    for (path, body, existing) in [
        ("/v3/invites", json!({"email": "BOB@acme.example"}), pending.body["user_id"].clone()),
        ("/v3/invites", json!({"email": "ada@acme.example"}), json!(acme.owner)),
        (&roles, viewer(), assigned.body["id"].clone()),
        (&members, json!({"id": acme.owner}), json!(acme.owner)),
    ] {
        let refused = world.post(path, &acme.token, body).await;
        refused.is_problem(409);
        assert_eq!(refused.body["existing_id"], existing, "{}", refused.body);
    }
    let admins = world.administrators(&acme).await;
    let last = world.delete(&format!("/v3/teams/{admins}/users/{}", acme.owner), &acme.token).await;
    assert_eq!((last.status, last.body.get("existing_id")), (409, None));
}
