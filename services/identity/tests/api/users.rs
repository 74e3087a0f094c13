use serde_json::{Value, json};
use sqlx::PgPool;
use writ_contract::StoredText;
use writ_contract::identity_event::Change;

use crate::support::World;

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn names_are_changed_and_only_the_fields_are_told(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}", acme.owner);
    let changed = world.patch(&path, &acme.token, json!({"full_name": "Ada King", "preferred_name": "Ada"})).await;
    changed.is(200);
    assert_eq!((&changed.body["full_name"], &changed.body["preferred_name"]), (&json!("Ada King"), &json!("Ada")));
    assert_ne!(changed.body["updated_at"], changed.body["created_at"]);
    assert_eq!(world.get(&path, &acme.token).await.body, changed.body);
    let fields = ["full_name", "preferred_name"].map(StoredText::lossy).to_vec();
    assert_eq!(world.last_changes(acme.id).await, [Change::UserChanged { user: acme.owner, fields }]);

    let again =
        world.patch(&path, &acme.token, json!({"full_name": "Ada King", "email": "ignored@acme.example"})).await;
    assert_eq!((again.status, again.revision(), &again.body), (200, changed.revision(), &changed.body));
    let removed = world.patch(&path, &acme.token, json!({"preferred_name": null})).await;
    assert_eq!(removed.body.get("preferred_name"), None);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_erased_user_leaves_nothing_but_the_id_in_events(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    let team = world.team(&acme, "Operators").await;
    world.post(&format!("/v3/teams/{team}/users"), &acme.token, json!({"id": bob.id})).await.is(201);
    let path = format!("/v3/users/{}", bob.id);
    world.delete(&path, &acme.token).await.is(204);
    assert_eq!(world.last_changes(acme.id).await, [Change::UserErased { user: bob.id }]);

    world.delete(&path, &acme.token).await.is_problem(404);
    world.get(&path, &acme.token).await.is_problem(404);
    world.get("/v3/users/me", &bob.token).await.is_problem(401);
    let members = world.get(&format!("/v3/teams/{team}/users"), &acme.token).await;
    assert_eq!(members.body["data"], json!([]));
    world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await.is(201);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn one_administrator_always_remains(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let admins = world.administrators(&acme).await;
    let owner = format!("/v3/users/{}", acme.owner);
    let membership = |user| format!("/v3/teams/{admins}/users/{user}");
    let invited =
        world.post("/v3/invites", &acme.token, json!({"email": "eve@acme.example"})).await.body["user_id"].clone();
    world.post(&format!("/v3/teams/{admins}/users"), &acme.token, json!({ "id": invited })).await.is(201);

    // The invited one is an administrator only once the invitation is accepted.
    let before = world.get(&owner, &acme.token).await.revision();
    world.delete(&owner, &acme.token).await.is_problem(409);
    world.delete(&membership(acme.owner), &acme.token).await.is_problem(409);
    assert_eq!(world.get(&owner, &acme.token).await.revision(), before, "a refused request writes nothing");

    let bob = world.user(&acme, "bob@acme.example").await;
    let role = json!({"role_name": "Admin", "entity_type_name": "Identity", "entity_id": "*", "entity_region": "*"});
    let roles = format!("/v3/users/{}/assigned-roles", bob.id);
    let assigned = world.post(&roles, &acme.token, role).await.body["id"].clone();
    world.delete(&owner, &bob.token).await.is(204);
    let path = format!("{roles}/{}", assigned.as_str().unwrap());
    world.delete(&path, &bob.token).await.is_problem(409);
    world.delete(&format!("/v3/users/{}", bob.id), &bob.token).await.is_problem(409);
    let organization = world.get("/v3/organizations/me", &bob.token).await;
    assert_eq!(organization.body.get("owner_id"), None, "the erased owner is not named any more");
    assert_eq!(world.get("/v3/users", &bob.token).await.body["meta"]["page"]["total"], 2);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_user_has_the_members_clients_know(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let me = world.get("/v3/users/me", &acme.token).await;
    let known = ["id", "email", "full_name", "preferred_name", "active", "inferred_region", "created_at", "updated_at"];
    let members: Vec<&String> = me.body.as_object().unwrap().keys().collect();
    assert!(members.iter().all(|member| known.contains(&member.as_str())), "{members:?}");
    assert_eq!(me.headers["content-type"], "application/json");
    assert_ne!(me.body["created_at"], Value::Null);
}
