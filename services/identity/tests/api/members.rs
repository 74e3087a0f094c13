use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;
use writ_contract::identity_event::Change;
use writ_contract::row::{Membership, Validity};

use crate::support::World;

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_user_is_put_into_a_team_and_taken_out(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let (bob, team) = (world.user(&acme, "bob@acme.example").await, world.team(&acme, "Operators").await);
    let users = format!("/v3/teams/{team}/users");
    let added = world.post(&users, &acme.token, json!({"id": bob.id})).await;
    assert_eq!((added.status, &added.body), (201, &Value::Null));
    let membership = Membership { team, member: bob.id.into(), validity: Validity::default() };
    assert_eq!(world.last_changes(acme.id).await, [Change::MemberAdded(membership)]);
    world.post(&users, &acme.token, json!({"id": bob.id})).await.is_problem(409);

    assert_eq!(world.get(&users, &acme.token).await.column("email"), ["bob@acme.example"]);
    let teams = world.get(&format!("/v3/users/{}/teams", bob.id), &bob.token).await;
    assert_eq!((teams.column("name"), &teams.body["meta"]["page"]["total"]), (vec!["Operators"], &json!(1)));

    let member = format!("{users}/{}", bob.id);
    world.delete(&member, &acme.token).await.is(204);
    assert_eq!(world.last_changes(acme.id).await, [Change::MemberRemoved { team, member: bob.id.into() }]);
    world.delete(&member, &acme.token).await.is_problem(404);
    assert_eq!(world.get(&users, &acme.token).await.body["data"], json!([]));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn unknown_teams_and_users_are_told(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let (team, unknown) = (world.team(&acme, "Operators").await, Uuid::now_v7());
    world.post(&format!("/v3/teams/{unknown}/users"), &acme.token, json!({"id": acme.owner})).await.is_problem(404);
    world.post(&format!("/v3/teams/{team}/users"), &acme.token, json!({"id": unknown})).await.is_problem(404);
    // A team is no member of a team.
    world.post(&format!("/v3/teams/{team}/users"), &acme.token, json!({"id": team})).await.is_problem(404);
    world.delete(&format!("/v3/teams/{team}/users/{unknown}"), &acme.token).await.is_problem(404);
    world.delete(&format!("/v3/teams/{unknown}/users/{}", acme.owner), &acme.token).await.is_problem(404);
    assert_eq!(world.events(acme.id).await.len(), 2);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn members_of_a_team_are_filtered(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let (bob, team) = (world.user(&acme, "bob@acme.example").await, world.team(&acme, "Operators").await);
    let users = format!("/v3/teams/{team}/users");
    for user in [bob.id, acme.owner] {
        world.post(&users, &acme.token, json!({"id": user})).await.is(201);
    }
    let filtered = world.get(&format!("{users}?filter[email][contains]=BOB"), &acme.token).await;
    assert_eq!(filtered.column("email"), ["bob@acme.example"]);
    let teams = format!("/v3/users/{}/teams", bob.id);
    let filtered = world.get(&format!("{teams}?filter[name][eq]=Others"), &acme.token).await;
    assert_eq!(filtered.body["data"], json!([]));
}
