use serde_json::{Value, json};
use sqlx::PgPool;
use writ_contract::identity_event::Change;
use writ_contract::{StoredText, TeamId};

use crate::support::{World, id};

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_team_is_created_changed_and_deleted(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let body = json!({"name": "Operators", "description": "Run it", "labels": {"env": "test", "tier": "1"}});
    let created = world.post("/v3/teams", &acme.token, body).await;
    created.is(201);
    let team: TeamId = id(&created.body);
    assert_eq!((&created.body["system_team"], created.revision()), (&json!(false), 2));
    assert_eq!(world.last_changes(acme.id).await, [Change::TeamCreated { team, system: false }]);
    let path = format!("/v3/teams/{team}");
    assert_eq!(world.get(&path, &acme.token).await.body, created.body);

    let update = json!({"name": "Ops", "description": null, "labels": {"tier": null, "env": "live"}});
    let changed = world.patch(&path, &acme.token, update).await;
    changed.is(200);
    assert_eq!((&changed.body["name"], &changed.body["description"]), (&json!("Ops"), &Value::Null));
    assert_eq!(changed.body["labels"], json!({"env": "live"}));
    let fields = ["labels", "name", "description"].map(StoredText::lossy).to_vec();
    assert_eq!(world.last_changes(acme.id).await, [Change::TeamChanged { team, fields }]);
    assert_eq!(world.get(&path, &acme.token).await.body, changed.body);
    let same = world.patch(&path, &acme.token, json!({"name": "Ops"})).await;
    assert_eq!((same.status, same.revision()), (200, 3), "nothing changed, nothing is written");

    world.delete(&path, &acme.token).await.is(204);
    assert_eq!(world.last_changes(acme.id).await, [Change::TeamDeleted { team }]);
    world.delete(&path, &acme.token).await.is_problem(404);
    world.get(&path, &acme.token).await.is_problem(404);
    assert_eq!(world.events(acme.id).await.len(), 4);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn names_of_teams_are_not_unique(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    assert_ne!(world.team(&acme, "Same").await, world.team(&acme, "Same").await);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_system_team_cannot_be_changed(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/teams/{}", world.administrators(&acme).await);
    let role = json!({"role_name": "Viewer", "entity_type_name": "Reports", "entity_id": "*", "entity_region": "*"});
    let roles = world.get(&format!("{path}/assigned-roles"), &acme.token).await;
    assert_eq!(roles.column("role_name"), ["Admin"]);
    let assignment = roles.column("id")[0].to_owned();
    for refused in [
        world.patch(&path, &acme.token, json!({"name": "Mine"})).await,
        world.patch(&path, &acme.token, json!({})).await,
        world.delete(&path, &acme.token).await,
        world.post(&format!("{path}/assigned-roles"), &acme.token, role).await,
        world.delete(&format!("{path}/assigned-roles/{assignment}"), &acme.token).await,
    ] {
        refused.is_invalid(&["teamID"]);
        assert_eq!(refused.body["invalid_parameters"][0]["reason"], "system teams cannot be modified");
    }
    assert_eq!(world.events(acme.id).await.len(), 1);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_team_keeps_to_fifty_labels(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let labels: serde_json::Map<String, Value> = (0..50).map(|n| (format!("l{n}"), json!("v"))).collect();
    let created = world.post("/v3/teams", &acme.token, json!({"name": "Many", "labels": labels})).await;
    created.is(201);
    let path = format!("/v3/teams/{}", id::<TeamId>(&created.body));
    world.patch(&path, &acme.token, json!({"labels": {"more": "v"}})).await.is_invalid(&["labels"]);
    world.patch(&path, &acme.token, json!({"labels": {"more": "v", "l0": null}})).await.is(200);
}
