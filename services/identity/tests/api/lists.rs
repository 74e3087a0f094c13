use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Organization, World};

async fn names(world: &World, acme: &Organization, query: &str) -> Vec<String> {
    let list = world.get(&format!("/v3/teams?{query}"), &acme.token).await;
    list.is(200);
    list.column("name").into_iter().filter(|name| *name != "Organization Admin").map(str::to_owned).collect()
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn pages_follow_each_other_and_end(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    for n in 0..11 {
        world.team(&acme, &format!("Team {n}")).await;
    }
    let page = |number: u32| format!("/v3/teams?page[size]=5&page[number]={number}");
    let mut seen = Vec::new();
    for (number, rows) in [(1, 5), (2, 5), (3, 2), (4, 0), (4_000_000_000, 0)] {
        let list = world.get(&page(number), &acme.token).await;
        list.is(200);
        assert_eq!(list.body["meta"], json!({"page": {"number": number, "size": 5, "total": 12}}));
        assert_eq!(list.column("id").len(), rows);
        seen.extend(list.column("id").into_iter().map(str::to_owned));
    }
    seen.dedup();
    assert_eq!(seen.len(), 12, "every team once");
    let default = world.get("/v3/teams", &acme.token).await;
    assert_eq!(default.body["meta"]["page"], json!({"number": 1, "size": 10, "total": 12}));
    let empty = world.get("/v3/teams?filter[name][eq]=Nobody", &acme.token).await;
    assert_eq!((&empty.body["data"], &empty.body["meta"]["page"]["total"]), (&json!([]), &json!(0)));
    for (query, field) in
        [("page[size]=101", "page[size]"), ("page[number]=0", "page[number]"), ("page[size]=x", "page[size]")]
    {
        world.get(&format!("/v3/teams?{query}"), &acme.token).await.is_invalid(&[field]);
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn teams_are_filtered(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    for (name, labels) in [
        ("Alpha_1", json!({"env": "test"})),
        ("Beta 50%", json!({"env": "live", "tier": "gold"})),
        ("alphax1", json!({})),
    ] {
        world.post("/v3/teams", &acme.token, json!({"name": name, "labels": labels})).await.is(201);
    }
    for (query, expected) in [
        ("filter[name][eq]=alphax1", vec!["alphax1"]),
        ("filter[name][contains]=ALPHA", vec!["Alpha_1", "alphax1"]),
        ("filter[name][contains]=alpha_", vec!["Alpha_1"]),
        ("filter[name][contains]=%25", vec!["Beta 50%"]),
        ("filter[name][contains]=%5C", vec![]),
        ("filter[labels][env][eq]=test", vec!["Alpha_1"]),
        ("filter[labels][env][contains]=i", vec!["Beta 50%"]),
        ("filter[labels][env][exists]=true", vec!["Alpha_1", "Beta 50%"]),
        ("filter[labels][env][exists]=false", vec!["alphax1"]),
        ("filter[labels][env][eq]=live&filter[labels][tier][eq]=gold", vec!["Beta 50%"]),
        ("filter[labels][env][eq]=live&filter[labels][tier][exists]=false", vec![]),
        ("filter[name][contains]='; DROP TABLE team; --".replace(' ', "%20").as_str(), vec![]),
    ] {
        assert_eq!(names(&world, &acme, query).await, expected, "{query}");
    }
    for field in ["filter[name][gt]", "filter[colour][eq]", "filter[labels][env][lt]", "filter[labels]", "filter"] {
        world.get(&format!("/v3/teams?{field}=x"), &acme.token).await.is_invalid(&[field]);
    }
    world.get("/v3/teams?filter[name][eq]=a%00b", &acme.token).await.is_invalid(&["filter[name][eq]"]);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn users_are_filtered(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    world.post("/v3/invites", &acme.token, json!({"email": "eve@acme.example"})).await.is(201);
    let (ada, bob_mail, eve) = ("ada@acme.example", "bob@acme.example", "eve@acme.example");
    for (query, expected) in [
        ("".to_owned(), vec![ada, bob_mail, eve]),
        (format!("filter[id][eq]={}", bob.id), vec![bob_mail]),
        ("filter[email][eq]=EVE@acme.example".to_owned(), vec![eve]),
        ("filter[email][contains]=b@".to_owned(), vec![bob_mail]),
        ("filter[full_name][eq]=Ada%20Lovelace".to_owned(), vec![ada]),
        ("filter[full_name][contains]=builder".to_owned(), vec![bob_mail]),
        ("filter[active]=true".to_owned(), vec![ada, bob_mail]),
        ("filter[active]=false".to_owned(), vec![eve]),
        ("filter[active]=true&filter[email][contains]=eve".to_owned(), vec![]),
    ] {
        let list = world.get(&format!("/v3/users?{query}"), &acme.token).await;
        assert_eq!(list.column("email"), expected, "{query}");
    }
    world.get("/v3/users?filter[active]=maybe", &acme.token).await.is_invalid(&["filter[active]"]);
    world.get("/v3/users?filter[id][eq]=x", &acme.token).await.is_invalid(&["filter[id][eq]"]);
    world.get("/v3/users?filter[id][contains]=x", &acme.token).await.is_invalid(&["filter[id][contains]"]);
    let invited = world.get("/v3/users?filter[active]=false", &acme.token).await;
    assert_eq!(invited.body["data"][0]["full_name"], Value::Null);
}
