//! One organization cannot starve or fill the region.

use futures::future::join_all;
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use writ_contract::OrganizationId;
use writ_identity::jobs::erase_deleted;
use writ_identity::store::turns::MOST_WAITING;
use writ_identity::store::{Author, OutboxRoom, Store};
use writ_log::loops::LoopTurns;

use crate::support::{OPERATOR, Organization, World};

async fn set_quota(world: &World, organization: OrganizationId, quota: &str, maximum: Option<u32>) {
    let path = format!("/v3/organizations/{organization}/quotas/{quota}");
    world.call(http::Method::PUT, &path, OPERATOR, Some(json!({ "maximum": maximum }))).await.is(200);
}

async fn used(world: &World, organization: &Organization, quota: &str) -> serde_json::Value {
    let quotas = world.get(&format!("/v3/organizations/{}/quotas", organization.id), OPERATOR).await;
    quotas.is(200);
    let all = quotas.body["data"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["name"] == quota).unwrap()
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn each_quota_is_refused_by_name_and_leaves_nothing(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let (bob, team) = (world.user(&acme, "bob@acme.example").await, world.team(&acme, "one").await);
    let members = format!("/v3/teams/{team}/users");
    let roles = format!("/v3/teams/{team}/assigned-roles");
    let role = |entity: &str| json!({"role_name": "Viewer", "entity_id": entity, "entity_type_name": "Control Planes", "entity_region": "us"});
    world.post(&roles, &acme.token, role("c7c5c3e0-0000-4000-8000-000000000001")).await.is(201);
    let before = world.events(acme.id).await.len();
    for (quota, maximum, path, body) in [
        ("users", 2, "/v3/invites", json!({"email": "carl@acme.example"})),
        ("teams", 2, "/v3/teams", json!({"name": "two"})),
        ("memberships", 1, members.as_str(), json!({"id": bob.id})),
        ("tokens", 3, &format!("/v3/users/{}/access-tokens", acme.owner), json!({"name": "ci", "ttl_seconds": 86400})),
        ("roles_per_principal", 1, &roles, role("c7c5c3e0-0000-4000-8000-000000000002")),
    ] {
        set_quota(&world, acme.id, quota, Some(maximum)).await;
        let refused = world.post(path, &acme.token, body.clone()).await;
        refused.is_problem(409);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("quota: {quota}, maximum: {maximum}")), "{detail}");
        assert_eq!(world.events(acme.id).await.len(), before, "{quota}");
        set_quota(&world, acme.id, quota, Some(maximum + 1)).await;
        world.post(path, &acme.token, body).await.is(201);
        set_quota(&world, acme.id, quota, None).await;
        assert_eq!(used(&world, &acme, quota).await["default"], true);
        // What there is now is one event more.
        let undone =
            sqlx::query("DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox)").execute(&world.pool).await;
        undone.unwrap();
    }
    set_quota(&world, acme.id, "requests_per_second", Some(1)).await;
    let replies = join_all((0..5).map(|_| world.get("/v3/users/me", &acme.token))).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert!(!refused.is_empty());
    assert!(refused[0].body["detail"].as_str().unwrap().contains("quota: requests a second"));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn quotas_are_counted_and_belong_to_the_operator(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    let team = world.team(&acme, "one").await;
    world.post(&format!("/v3/teams/{team}/users"), &acme.token, json!({"id": bob.id})).await.is(201);
    for (quota, expected) in [("users", 2), ("teams", 2), ("memberships", 2), ("tokens", 2)] {
        assert_eq!(used(&world, &acme, quota).await["used"], expected, "{quota}");
    }
    world.delete(&format!("/v3/teams/{team}"), &acme.token).await.is(204);
    world.delete(&format!("/v3/users/{}", bob.id), &acme.token).await.is(204);
    for (quota, expected) in [("users", 1), ("teams", 1), ("memberships", 1), ("tokens", 1)] {
        assert_eq!(used(&world, &acme, quota).await["used"], expected, "{quota}");
    }
    let path = format!("/v3/organizations/{}/quotas", acme.id);
    world.get(&path, &acme.token).await.is_problem(403);
    let set = format!("{path}/users");
    world.call(http::Method::PUT, &set, &acme.token, Some(json!({"maximum": 9}))).await.is_problem(403);
    let put =
        async |name: &str, body| world.call(http::Method::PUT, &format!("{path}/{name}"), OPERATOR, Some(body)).await;
    put("users", json!({"maximum": -1})).await.is_invalid(&["maximum"]);
    put("cats", json!({"maximum": 1})).await.is_problem(400);
    let nobody = OrganizationId::generate("us".parse().unwrap());
    world.get(&format!("/v3/organizations/{nobody}/quotas"), OPERATOR).await.is_problem(404);
}

/// One connection for changes, so that those of one organization could keep it from all others.
#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn changes_of_one_organization_hold_one_connection(pool: PgPool) {
    let world = World::new(pool.clone());
    let (acme, other) = (world.organization().await, world.organization().await);
    let writes = PgPoolOptions::new().max_connections(2).connect_with((*pool.connect_options()).clone()).await.unwrap();
    let store = Store::new(pool, writes, "us".parse().unwrap(), OutboxRoom::new(1_000));
    let held = store.revision_in_any_state(acme.id, Author::identity()).await.unwrap();
    let mut waiting: Vec<_> =
        (0..MOST_WAITING).map(|_| Box::pin(store.revision_in_any_state(acme.id, Author::identity()))).collect();
    for wait in &mut waiting {
        assert!(futures::poll!(wait).is_pending());
    }
    let refused = store.revision_in_any_state(acme.id, Author::identity()).await.err().unwrap();
    assert!(matches!(refused, writ_identity::error::IdentityError::TooManyChanges), "{refused}");
    store.revision_in_any_state(other.id, Author::identity()).await.unwrap().unchanged().await.unwrap();
    held.unchanged().await.unwrap();
    for wait in waiting {
        wait.await.unwrap().unchanged().await.unwrap();
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_full_outbox_refuses_changes_and_no_reads(pool: PgPool) {
    let world = World::new(pool.clone());
    let acme = world.organization().await;
    // The organization's creation has filled it.
    let full = World::with_room(pool, 2);
    full.store.room().count(&full.pool).await.unwrap();
    let refused = full.post("/v3/teams", &acme.token, json!({"name": "one"})).await;
    refused.is_problem(503);
    assert_eq!(refused.headers["retry-after"], "5");
    full.get("/v3/teams", &acme.token).await.is(200);
    sqlx::query("DELETE FROM outbox").execute(&full.pool).await.unwrap();
    full.store.room().count(&full.pool).await.unwrap();
    full.post("/v3/teams", &acme.token, json!({"name": "one"})).await.is(201);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_large_organization_is_erased_in_the_background(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    sqlx::query(
        "WITH p AS (INSERT INTO principal (organization, id, kind, active)
                    SELECT $1, gen_random_uuid(), 'user', true FROM generate_series(1, 2500) RETURNING id)
         INSERT INTO user_account (organization, id, email, email_folded, created_at, updated_at)
         SELECT $1, id, id || '@acme.example', id || '@acme.example', now(), now() FROM p",
    )
    .bind(acme.id)
    .execute(&world.pool)
    .await
    .unwrap();
    world.delete(&format!("/v3/organizations/{}", acme.id), OPERATOR).await.is(204);
    world.get("/v3/users/me", &acme.token).await.is_problem(401);
    world.get(&format!("/v3/organizations/{}", acme.id), OPERATOR).await.is_problem(404);
    assert!(world.store.erasures().await.unwrap() > 1_000);
    // In the middle of it the process ends, and the next one goes on.
    assert!(world.store.erase_deleted().await.unwrap());
    erase_deleted(&world.store, &LoopTurns::new("test")).await.unwrap();
    assert_eq!(world.store.erasures().await.unwrap(), 0);
    for table in ["principal", "user_account", "token", "quota"] {
        let query = format!("SELECT count(*) FROM {table} WHERE organization = $1");
        let left: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(acme.id).fetch_one(&world.pool).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
