use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;
use writ_contract::GrantId;
use writ_contract::identity_event::Change;
use writ_contract::row::{Grant, Validity};

use crate::support::{World, id};

fn viewer(entity: &str, region: &str) -> Value {
    json!({"role_name": "Viewer", "entity_type_name": "Control Planes", "entity_id": entity, "entity_region": region})
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_role_is_assigned_to_a_team_in_one_region(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let team = world.team(&acme, "Operators").await;
    let path = format!("/v3/teams/{team}/assigned-roles");
    let entity = "817d0422-45c9-4d88-8d64-45aef05c1ae7";
    let assigned = world.post(&path, &acme.token, viewer(entity, "eu")).await;
    assigned.is(201);
    let assignment: GrantId = id(&assigned.body);
    let mut expected = viewer(entity, "eu");
    expected["id"] = json!(assignment);
    assert_eq!(assigned.body, expected);
    let change = |entity_id: Option<&str>, region: Option<&str>, assignment| {
        Change::RoleAssigned(Grant {
            id: assignment,
            principal: team.into(),
            role: "control_planes.viewer".parse().unwrap(),
            entity_type: "control_planes".parse().unwrap(),
            entity_id: entity_id.map(|id| id.parse().unwrap()),
            region: region.map(|code| code.parse().unwrap()),
            validity: Validity::default(),
            condition: None,
        })
    };
    assert_eq!(world.last_changes(acme.id).await, [change(Some(entity), Some("eu"), assignment)]);
    assert_eq!(world.get(&format!("{path}/{assignment}"), &acme.token).await.body, expected);

    let everywhere = world.post(&path, &acme.token, viewer("*", "*")).await;
    assert_eq!(world.last_changes(acme.id).await, [change(None, None, id(&everywhere.body))]);
    let list = world.get(&path, &acme.token).await;
    assert_eq!(list.body["meta"], json!({"page": {"number": 1, "size": 2, "total": 2}}));
    assert_eq!(list.body["data"], json!([assigned.body, everywhere.body]));

    let one = format!("{path}/{assignment}");
    world.delete(&one, &acme.token).await.is(204);
    assert_eq!(world.last_changes(acme.id).await, [Change::RoleUnassigned { grant: assignment }]);
    world.delete(&one, &acme.token).await.is_problem(404);
    world.get(&one, &acme.token).await.is_problem(404);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_role_is_assigned_once(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}/assigned-roles", acme.owner);
    for role in [viewer("*", "eu"), viewer("*", "*"), viewer("cp-1", "*"), viewer("cp-1", "eu")] {
        world.post(&path, &acme.token, role.clone()).await.is(201);
        world.post(&path, &acme.token, role).await.is_problem(409);
    }
    assert_eq!(world.events(acme.id).await.len(), 5);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn roles_of_users_and_teams_are_kept_apart(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let team = world.team(&acme, "Operators").await;
    let (users, teams) =
        (format!("/v3/users/{}/assigned-roles", acme.owner), format!("/v3/teams/{team}/assigned-roles"));
    let of_team: GrantId = id(&world.post(&teams, &acme.token, viewer("*", "eu")).await.body);
    world.get(&format!("{users}/{of_team}"), &acme.token).await.is_problem(404);
    world.delete(&format!("{users}/{of_team}"), &acme.token).await.is_problem(404);
    assert_eq!(world.get(&users, &acme.token).await.body["data"], json!([]));
    world.post(&format!("/v3/users/{team}/assigned-roles"), &acme.token, viewer("*", "eu")).await.is_problem(404);
    let unknown = Uuid::now_v7();
    world.post(&format!("/v3/teams/{unknown}/assigned-roles"), &acme.token, viewer("*", "eu")).await.is_problem(404);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn assigned_roles_are_filtered(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}/assigned-roles", acme.owner);
    for (role, kind, entity) in
        [("Viewer", "Control Planes", "cp-1"), ("Admin", "Control Planes", "*"), ("Viewer", "Reports", "*")]
    {
        let body = json!({"role_name": role, "entity_type_name": kind, "entity_id": entity, "entity_region": "*"});
        world.post(&path, &acme.token, body).await.is(201);
    }
    for (filter, expected) in [
        ("filter[role_name][eq]=Viewer", vec!["cp-1", "*"]),
        ("filter[entity_type_name][eq]=Control+Planes", vec!["cp-1", "*"]),
        ("filter[role_name][eq]=Viewer&filter[entity_type_name][eq]=Reports", vec!["*"]),
        ("filter[entity_id][eq]=cp-1", vec!["cp-1"]),
        ("filter[role_name][eq]=Captain", vec![]),
    ] {
        assert_eq!(world.get(&format!("{path}?{filter}"), &acme.token).await.column("entity_id"), expected, "{filter}");
    }
    let unsupported = world.get(&format!("{path}?filter[role_name][contains]=V"), &acme.token).await;
    unsupported.is_invalid(&["filter[role_name][contains]"]);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn what_the_catalogue_does_not_have_is_not_assigned(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}/assigned-roles", acme.owner);
    for (member, value) in
        [("role_name", "Captain"), ("entity_type_name", "Ships"), ("entity_region", "mars"), ("entity_id", "a/b")]
    {
        let mut body = viewer("*", "eu");
        body[member] = json!(value);
        world.post(&path, &acme.token, body).await.is_invalid(&[member]);
    }
    assert_eq!(world.events(acme.id).await.len(), 1);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_catalogue_is_listed(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let roles = world.get("/v3/roles", &acme.token).await;
    roles.is(200);
    assert_eq!(roles.body["control_planes"]["name"], "Control Planes");
    assert_eq!(roles.body["control_planes"]["roles"]["viewer"]["name"], "Viewer");
    assert!(roles.body["identity"]["roles"]["decision_reader"]["description"].is_string());
}
