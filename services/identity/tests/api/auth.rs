use axum::body::Body;
use http::{Method, Request};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;
use writ_contract::OrganizationId;
use writ_contract::row::TokenKind;
use writ_tokens::BearerToken;

use crate::support::{OPERATOR, World};

fn foreign(region: &str, kind: TokenKind) -> String {
    BearerToken::generate(kind, region.parse().unwrap(), OrganizationId::generate("us".parse().unwrap()))
        .expose()
        .to_owned()
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn whoever_has_no_valid_token_is_not_let_in(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let other = foreign("us", TokenKind::Personal);
    let unknown_region = foreign("au", TokenKind::Personal);
    let mistyped = acme.token.replace("kpat_us_", "kpat_eu_");
    let system_account = foreign("us", TokenKind::SystemAccount);
    for token in ["", "nonsense", "kpat_us_", &other, &unknown_region, &mistyped, &system_account, &"x".repeat(5000)] {
        let refused = world.get("/v3/users/me", token).await;
        refused.is_problem(401);
        assert_eq!(refused.headers["www-authenticate"], "Bearer");
    }
    for header in ["Basic YTpi", "Bearer", &acme.token, &format!("Token {}", acme.token)] {
        let request = Request::get("/v3/users/me").header("authorization", header).body(Body::empty()).unwrap();
        world.send(request).await.is_problem(401);
    }
    let twice = Request::get("/v3/users/me")
        .header("authorization", format!("Bearer {}", acme.token))
        .header("authorization", "Bearer x");
    world.send(twice.body(Body::empty()).unwrap()).await.is_problem(401);
    let redirected = world.send(Request::get("/v3/users/me").body(Body::empty()).unwrap()).await;
    redirected.is_problem(401);
    let detail = redirected.body["detail"].as_str().unwrap();
    assert!(detail.contains("redirect") && detail.contains("home region"), "{detail}");
    world.get("/v3/users/me", &acme.token).await.is(200);
}

/// A body that never arrives is not waited for.
#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn nobody_has_a_body_read_without_a_valid_token(pool: PgPool) {
    let world = World::new(pool);
    world.organization().await;
    let unknown = foreign("us", TokenKind::Personal);
    for (token, path) in [("nonsense", "/v3/teams"), (&unknown, "/v3/teams"), (&unknown, "/v3/organizations")] {
        let body = Body::from_stream(futures::stream::pending::<std::io::Result<axum::body::Bytes>>());
        let request = Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let answered = tokio::time::timeout(std::time::Duration::from_secs(10), world.send(request)).await;
        answered.expect("an answer before the body").is_problem(401);
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_expired_token_is_not_valid(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    sqlx::query("UPDATE token SET expires_at = now()").execute(&world.pool).await.unwrap();
    world.get("/v3/users/me", &acme.token).await.is_problem(401);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_token_of_another_region_is_sent_home_without_reading_the_body(pool: PgPool) {
    let world = World::new(pool);
    let token = foreign("eu", TokenKind::Personal);
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v3/teams?page[size]=5")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from_stream(futures::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Vec<u8>, std::io::Error>>> { panic!("the body was read") },
        )))
        .unwrap();
    let sent = world.send(request).await;
    sent.is_problem(307);
    assert_eq!(sent.headers["location"], "http://eu.test/v3/teams?page[size]=5");
    assert!(sent.body["detail"].as_str().unwrap().contains("http://eu.test"), "{}", sent.body);

    let invite = world.post("/v3/invites/accept", &foreign("eu", TokenKind::Invite), json!({})).await;
    invite.is_problem(307);
    assert_eq!(invite.headers["location"], "http://eu.test/v3/invites/accept");
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn who_is_no_administrator_sees_only_itself(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    let team = world.team(&acme, "Operators").await;

    let own = format!("/v3/users/{}", bob.id);
    for path in ["", "/teams", "/assigned-roles", "/access-tokens"] {
        world.get(&format!("{own}{path}"), &bob.token).await.is(200);
    }
    world.get("/v3/users/me", &bob.token).await.is(200);
    world.get("/v3/organizations/me", &bob.token).await.is(200);
    world.get("/v3/roles", &bob.token).await.is(200);
    world.patch(&own, &bob.token, json!({"preferred_name": "Bobby"})).await.is(200);

    let owner = format!("/v3/users/{}", acme.owner);
    for path in ["", "/teams", "/assigned-roles", "/access-tokens"] {
        world.get(&format!("{owner}{path}"), &bob.token).await.is_problem(403);
    }
    for path in [
        "/v3/users".to_owned(),
        "/v3/teams".to_owned(),
        format!("/v3/teams/{team}"),
        format!("/v3/teams/{team}/users"),
        format!("/v3/teams/{team}/assigned-roles"),
    ] {
        world.get(&path, &bob.token).await.is_problem(403);
    }
    let admin_role =
        json!({"role_name": "Admin", "entity_type_name": "Identity", "entity_id": "*", "entity_region": "*"});
    world.post(&format!("{own}/assigned-roles"), &bob.token, admin_role).await.is_problem(403);
    world.post(&format!("/v3/teams/{team}/users"), &bob.token, json!({"id": bob.id})).await.is_problem(403);
    world.post("/v3/teams", &bob.token, json!({"name": "Mine"})).await.is_problem(403);
    world.post("/v3/invites", &bob.token, json!({"email": "eve@acme.example"})).await.is_problem(403);
    world.delete(&own, &bob.token).await.is_problem(403);
    world.delete(&format!("/v3/teams/{team}"), &bob.token).await.is_problem(403);
    world.patch(&owner, &bob.token, json!({"full_name": "Eve"})).await.is_problem(403);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn identity_admin_may_be_held_directly_or_through_a_team_while_it_is_valid(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let (bob, eve) = (world.user(&acme, "bob@acme.example").await, world.user(&acme, "eve@acme.example").await);
    let role = json!({"role_name": "Admin", "entity_type_name": "Identity", "entity_id": "*", "entity_region": "*"});
    world.post(&format!("/v3/users/{}/assigned-roles", bob.id), &acme.token, role.clone()).await.is(201);
    world.get("/v3/users", &bob.token).await.is(200);

    let team = world.team(&acme, "Second line").await;
    world.post(&format!("/v3/teams/{team}/assigned-roles"), &acme.token, role).await.is(201);
    world.get("/v3/users", &eve.token).await.is_problem(403);
    world.post(&format!("/v3/teams/{team}/users"), &acme.token, json!({"id": eve.id})).await.is(201);
    world.get("/v3/users", &eve.token).await.is(200);

    let end_membership = "UPDATE membership SET valid_until = now() WHERE member = $1";
    sqlx::query(end_membership).bind(eve.id).execute(&world.pool).await.unwrap();
    world.get("/v3/users", &eve.token).await.is_problem(403);
    sqlx::query("UPDATE role_assignment SET valid_from = now() + interval '1 day' WHERE principal = $1")
        .bind(bob.id)
        .execute(&world.pool)
        .await
        .unwrap();
    world.get("/v3/users", &bob.token).await.is_problem(403);
    let reader =
        json!({"role_name": "Decision Reader", "entity_type_name": "Identity", "entity_id": "*", "entity_region": "*"});
    world.post(&format!("/v3/users/{}/assigned-roles", bob.id), &acme.token, reader).await.is(201);
    world.get("/v3/users", &bob.token).await.is_problem(403);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn what_belongs_to_another_organization_does_not_exist(pool: PgPool) {
    let world = World::new(pool);
    let (acme, other) = (world.organization().await, world.organization().await);
    let team = world.team(&other, "Operators").await;
    let role =
        json!({"role_name": "Viewer", "entity_type_name": "Control Planes", "entity_id": "*", "entity_region": "eu"});
    let assigned = world.post(&format!("/v3/teams/{team}/assigned-roles"), &other.token, role.clone()).await;
    let assignment = assigned.body["id"].as_str().unwrap();
    let (user, team) = (format!("/v3/users/{}", other.owner), format!("/v3/teams/{team}"));
    for path in [
        &user,
        &format!("{user}/teams"),
        &format!("{user}/assigned-roles"),
        &format!("{user}/access-tokens"),
        &team,
        &format!("{team}/users"),
        &format!("{team}/assigned-roles"),
        &format!("{team}/assigned-roles/{assignment}"),
    ] {
        world.get(path, &acme.token).await.is_problem(404);
    }
    for path in [&user, &team, &format!("{team}/users/{}", other.owner), &format!("{team}/assigned-roles/{assignment}")]
    {
        world.delete(path, &acme.token).await.is_problem(404);
    }
    world.patch(&user, &acme.token, json!({"full_name": "x"})).await.is_problem(404);
    world.patch(&team, &acme.token, json!({"name": "x"})).await.is_problem(404);
    world.post(&format!("{team}/assigned-roles"), &acme.token, role.clone()).await.is_problem(404);
    world.post(&format!("{team}/users"), &acme.token, json!({"id": acme.owner})).await.is_problem(404);
    let own = world.team(&acme, "Own").await;
    world.post(&format!("/v3/teams/{own}/users"), &acme.token, json!({"id": other.owner})).await.is_problem(404);
    world
        .post(&format!("{user}/access-tokens"), &acme.token, json!({"name": "x", "ttl_seconds": 86400}))
        .await
        .is_problem(404);
    assert_eq!(world.get("/v3/users", &other.token).await.body["meta"]["page"]["total"], 1);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_operators_token_is_compared_whole(pool: PgPool) {
    let world = World::new(pool);
    for token in [&OPERATOR[..OPERATOR.len() - 1], &format!("{OPERATOR}x"), &OPERATOR.to_uppercase()] {
        world.get(&format!("/v3/organizations/{}", Uuid::now_v7()), token).await.is_problem(401);
    }
}
