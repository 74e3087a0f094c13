use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{Organization, Reply, World};

async fn post_team(world: &World, acme: &Organization, content_type: Option<&str>, body: impl Into<Body>) -> Reply {
    let mut request = Request::post("/v3/teams").header("authorization", format!("Bearer {}", acme.token));
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    world.send(request.body(body.into()).unwrap()).await
}

async fn still_flows(world: &World, acme: &Organization) {
    let before = world.get("/v3/users/me", &acme.token).await.revision();
    let created = world.post("/v3/teams", &acme.token, json!({"name": "After"})).await;
    assert_eq!((created.status, created.revision()), (201, before + 1));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_body_that_is_no_json_object_is_refused(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    for body in ["", "{", "{\"name\":", "nonsense", "{\"name\":\"a\"} trailing", "\u{0}"] {
        post_team(&world, &acme, Some("application/json"), body).await.is_invalid(&["body"]);
    }
    for body in [json!([]), json!("text"), json!(5), Value::Null, json!([{"name": "a"}])] {
        post_team(&world, &acme, Some("application/json"), body.to_string()).await.is_invalid(&["body"]);
    }
    post_team(&world, &acme, Some("application/json"), vec![0xff, 0xfe, b'{']).await.is_invalid(&["body"]);
    still_flows(&world, &acme).await;
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn another_content_type_is_refused(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/avro")]
    {
        post_team(&world, &acme, content_type, r#"{"name":"a"}"#).await.is_problem(415);
    }
    post_team(&world, &acme, Some("application/json; charset=utf-8"), r#"{"name":"a"}"#).await.is(201);
    still_flows(&world, &acme).await;
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_oversized_body_is_refused(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let body = json!({"name": "a", "description": "x".repeat(70_000)}).to_string();
    post_team(&world, &acme, Some("application/json"), body).await.is_problem(413);
    still_flows(&world, &acme).await;
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn wrong_types_and_values_are_named(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let team = world.team(&acme, "Operators").await;
    let (team, user) = (format!("/v3/teams/{team}"), format!("/v3/users/{}", acme.owner));
    let post = Method::POST;
    for (method, path, body, fields) in [
        (
            post.clone(),
            "/v3/teams".to_owned(),
            json!({"name": 5, "description": [], "labels": "x"}),
            vec!["description", "labels", "name"],
        ),
        (post.clone(), "/v3/teams".to_owned(), json!({"name": "x".repeat(251)}), vec!["name"]),
        (post.clone(), "/v3/teams".to_owned(), json!({"name": "nul\u{0}l"}), vec!["name"]),
        (post.clone(), "/v3/teams".to_owned(), json!({"name": "x", "labels": {"kong": "x"}}), vec!["labels"]),
        (Method::PATCH, team.clone(), json!({"name": null}), vec!["name"]),
        (
            Method::PATCH,
            user.clone(),
            json!({"full_name": "", "preferred_name": 1}),
            vec!["full_name", "preferred_name"],
        ),
        (post.clone(), format!("{team}/users"), json!({"id": "me"}), vec!["id"]),
        (post.clone(), format!("{team}/users"), json!({}), vec!["id"]),
        (
            post.clone(),
            format!("{team}/assigned-roles"),
            json!({"role_name": 1}),
            vec!["role_name", "entity_id", "entity_type_name", "entity_region"],
        ),
        (post.clone(), "/v3/invites".to_owned(), json!({"email": "nobody"}), vec!["email"]),
        (
            post.clone(),
            format!("{user}/access-tokens"),
            json!({"name": "-", "ttl_seconds": "1"}),
            vec!["name", "ttl_seconds"],
        ),
    ] {
        world.call(method, &path, &acme.token, Some(body)).await.is_invalid(&fields);
    }
    still_flows(&world, &acme).await;
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn ids_that_are_malformed_or_unknown_are_told_apart(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let (team, unknown) = (world.team(&acme, "Operators").await, Uuid::now_v7());
    for (path, field) in [
        ("/v3/teams/operators".to_owned(), "teamID"),
        ("/v3/users/bob%00".to_owned(), "userID"),
        ("/v3/users/%ff".to_owned(), "path"),
        (format!("/v3/teams/{team}/assigned-roles/viewer"), "roleID"),
        (format!("/v3/users/{}/access-tokens/laptop", acme.owner), "tokenID"),
    ] {
        world.get(&path, &acme.token).await.is_invalid(&[field]);
    }
    for path in [
        format!("/v3/teams/{unknown}"),
        format!("/v3/teams/{unknown}/users"),
        format!("/v3/teams/{unknown}/assigned-roles"),
        format!("/v3/teams/{team}/assigned-roles/{unknown}"),
        format!("/v3/users/{unknown}"),
        format!("/v3/users/{unknown}/teams"),
        format!("/v3/users/{unknown}/assigned-roles"),
        format!("/v3/users/{unknown}/access-tokens"),
        format!("/v3/users/{}/access-tokens/{unknown}", acme.owner),
        // An id of another kind of principal.
        format!("/v3/users/{team}"),
        format!("/v3/teams/{}", acme.owner),
        format!("/v3/users/{team}/assigned-roles"),
        "/v3/nothing".to_owned(),
    ] {
        world.get(&path, &acme.token).await.is_problem(404);
    }
    world.call(Method::PUT, "/v3/teams", &acme.token, None).await.is_problem(405);
    still_flows(&world, &acme).await;
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_api_describes_itself(pool: PgPool) {
    let world = World::new(pool);
    let document = world.get("/openapi.json", "").await;
    document.is(200);
    let paths = document.body["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 26, "{:?}", paths.keys());
    assert!(paths["/v3/teams/{teamId}/assigned-roles"]["post"]["requestBody"].is_object());
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
    let mut ids: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "operation ids are unique");

    let references = references(&document.body);
    assert!(references.len() > 100);
    for reference in references {
        let schema = document.body.pointer(reference.strip_prefix('#').unwrap());
        assert!(schema.is_some(), "{reference} leads nowhere");
    }
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
