//! Names and addresses: what is refused, and what is the same.

use http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{OPERATOR, World};

const COMPOSED: &str = "\u{e9}lodie@example.org";
const DECOMPOSED: &str = "e\u{301}lodie@example.org";

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_address_is_one_account_however_it_is_written(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let invite = async |email: &str| world.post("/v3/invites", &acme.token, json!({ "email": email })).await;
    let first = invite(COMPOSED).await;
    first.is(201);
    for same in ["ÉLODIE@example.org", DECOMPOSED, "E\u{301}LODIE@EXAMPLE.ORG", "Élodie@Example.org"] {
        invite(same).await.is_problem(409);
    }
    invite("elodie@example.org").await.is(201);
    invite("ada@bücher.example").await.is(201);
    invite("ada@xn--bcher-kva.example").await.is_problem(409);
    for (filter, total) in [
        ("filter[email][eq]=%C3%89LODIE@EXAMPLE.org", 1),
        ("filter[email][eq]=e%CC%81lodie@example.org", 1),
        ("filter[email][contains]=%C3%89LO", 1),
        ("filter[email][eq]=ada@XN--BCHER-KVA.example", 1),
        ("filter[email][contains]=B%C3%9CCHER", 1),
        ("filter[email][contains]=lodie", 2),
    ] {
        let found = world.get(&format!("/v3/users?{filter}"), &acme.token).await;
        assert_eq!(found.body["meta"]["page"]["total"], total, "{filter}");
    }
    let shown = world.get("/v3/users?filter[email][contains]=%C3%89LO", &acme.token).await;
    assert_eq!(shown.column("email"), [COMPOSED], "shown as it was written first");
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn names_are_found_whatever_their_case(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}", acme.owner);
    world.patch(&path, &acme.token, json!({"full_name": "ANNA ÖZIL"})).await.is(200);
    world.post("/v3/teams", &acme.token, json!({"name": "ÄRZTE Zoe\u{308}"})).await.is(201);
    for (path, total) in [
        ("/v3/users?filter[full_name][contains]=%C3%B6zil", 1),
        ("/v3/users?filter[full_name][contains]=o%CC%88zil", 1),
        ("/v3/users?filter[full_name][contains]=ozil", 0),
        ("/v3/teams?filter[name][contains]=%C3%A4rzte%20zo%C3%AB", 1),
        ("/v3/teams?filter[name][eq]=%C3%84RZTE%20Zo%C3%AB", 1),
        ("/v3/teams?filter[name][eq]=%C3%A4rzte%20zo%C3%AB", 0),
        ("/v3/teams?filter[name][contains]=%20", 2),
    ] {
        let found = world.get(path, &acme.token).await;
        assert_eq!(found.body["meta"]["page"]["total"], total, "{path}");
    }
    let team = world.get("/v3/teams?filter[name][contains]=zo%C3%AB", &acme.token).await;
    let team = format!("/v3/teams/{}", team.column("id")[0]);
    world.patch(&team, &acme.token, json!({"name": "ÖRTE"})).await.is(200);
    assert_eq!(world.get("/v3/teams?filter[name][contains]=%C3%B6rte", &acme.token).await.column("name"), ["ÖRTE"]);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn what_is_not_seen_in_a_name_is_refused_by_field(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let team = world.team(&acme, "Operators").await;
    let (team, user) = (format!("/v3/teams/{team}"), format!("/v3/users/{}", acme.owner));
    let hidden = ["a\u{202e}b", "a\u{200b}b", "a\u{1b}[31mb", "a\nb", "a\u{feff}b", "a\u{2067}b", "   ", "\u{3000}"];
    for text in hidden {
        for (method, path, body, field) in [
            (Method::POST, "/v3/teams", json!({ "name": text }), "name"),
            (Method::POST, "/v3/teams", json!({"name": "a", "description": text}), "description"),
            (Method::POST, "/v3/teams", json!({"name": "a", "labels": {text: "v"}}), "labels"),
            (Method::PATCH, &team, json!({ "name": text }), "name"),
            (Method::PATCH, &team, json!({ "description": text }), "description"),
            (Method::PATCH, &user, json!({ "full_name": text }), "full_name"),
            (Method::PATCH, &user, json!({ "preferred_name": text }), "preferred_name"),
            (Method::POST, "/v3/invites", json!({"email": format!("{text}@acme.example")}), "email"),
            (
                Method::POST,
                &format!("{user}/access-tokens"),
                json!({"name": format!("a{text}a"), "ttl_seconds": 86400}),
                "name",
            ),
        ] {
            // Blanks within the name of a token are allowed.
            if field == "name" && path.ends_with("tokens") && text == "   " {
                continue;
            }
            let refused = world.call(method, path, &acme.token, Some(body)).await;
            refused.is_invalid(&[field]);
        }
        let owner = json!({"email": "ada@acme.example", "full_name": text});
        let refused = world.post("/v3/organizations", OPERATOR, json!({"name": text, "owner": owner})).await;
        refused.is_invalid(&["name", "owner.full_name"]);
    }
    assert_eq!(world.events(acme.id).await.len(), 2);
    world.patch(&team, &acme.token, json!({"description": ""})).await.is(200);
    let named = world.patch(&user, &acme.token, json!({"preferred_name": "Ada ❤\u{fe0f}"})).await;
    assert_eq!(named.body["preferred_name"], Value::from("Ada ❤\u{fe0f}"));
}
