use std::collections::HashSet;

use http::Method;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::catalogue::Catalogue;
use writ_contract::identity_event::Change;
use writ_contract::{Hash, PLATFORM_ORGANIZATION, Revision};
use writ_identity::store::Author;

use crate::support::World;

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn revisions_are_contiguous_when_many_write_at_once(pool: PgPool) {
    let world = World::new(pool);
    let (acme, other) = (world.organization().await, world.organization().await);
    let create = |n: usize| {
        let organization = if n.is_multiple_of(2) { &acme } else { &other };
        world.post("/v3/teams", &organization.token, json!({"name": format!("Team {n}")}))
    };
    let replies = futures::future::join_all((0..40).map(create)).await;
    assert!(replies.iter().all(|reply| reply.status == 201));
    for organization in [&acme, &other] {
        let events = world.events(organization.id).await;
        let revisions: Vec<i64> = events.iter().map(|(event, _)| event.revision.number).collect();
        assert_eq!(revisions, (1..=21).collect::<Vec<i64>>(), "in order, without gaps");
        assert!(events.is_sorted_by(|(one, _), (next, _)| one.committed_at < next.committed_at));
        let answered: HashSet<i64> = replies
            .iter()
            .map(|reply| reply.seen())
            .filter(|(id, _)| *id == organization.id)
            .map(|(_, at)| at.revision.number)
            .collect();
        assert_eq!(answered, (2..=21).collect(), "each answer names its own revision");
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn each_event_names_the_digest_of_the_one_before(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    world.team(&acme, "One").await;
    let unchanged = json!({"full_name": "Ada Lovelace"});
    world.patch(&format!("/v3/users/{}", acme.owner), &acme.token, unchanged).await.is(200);
    world.team(&acme, "Two").await;
    world.store.publish_catalogue().await.unwrap();
    for (organization, length) in [(acme.id, 3), (PLATFORM_ORGANIZATION, 1)] {
        let events = world.events(organization).await;
        assert_eq!(events.len(), length);
        let mut previous = Hash::ZERO;
        for (event, _) in events {
            assert_eq!(event.previous_digest, previous);
            assert_eq!(event.digest, Hash::of(&[&previous.0, &event.payload]));
            previous = event.digest;
        }
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_organization_names_its_home(pool: PgPool) {
    let world = World::new(pool);
    assert_eq!(world.organization().await.id.home(), Some(world.store.region()));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn every_answer_carries_the_state_it_saw(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let reply = world.get("/v3/users/me", &acme.token).await;
    let (organization, position) = reply.seen();
    assert_eq!((organization, position.chain.origin.as_str()), (acme.id, "us"));
    assert_eq!(position.revision, Revision::first_epoch(1));
    let team = world.team(&acme, "Operators").await;
    for path in ["/v3/users", "/v3/teams", "/v3/roles", "/v3/organizations/me", &format!("/v3/teams/{team}")] {
        assert_eq!(world.get(path, &acme.token).await.revision(), 2, "{path}");
    }
    assert_eq!(world.delete(&format!("/v3/teams/{team}"), &acme.token).await.revision(), 3);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn what_is_refused_writes_nothing(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let unknown = Uuid::now_v7();
    for (method, path, body) in [
        (Method::POST, format!("/v3/teams/{unknown}/users"), Some(json!({"id": acme.owner}))),
        (Method::PATCH, format!("/v3/teams/{unknown}"), Some(json!({"name": "x"}))),
        (Method::DELETE, format!("/v3/teams/{unknown}"), None),
        (Method::DELETE, format!("/v3/users/{}", acme.owner), None),
        (Method::POST, "/v3/invites".to_owned(), Some(json!({"email": "ada@acme.example"}))),
    ] {
        assert!(world.call(method, &path, &acme.token, body).await.status >= 400, "{path}");
    }
    assert_eq!(world.events(acme.id).await.len(), 1);
    assert_eq!(world.get("/v3/users/me", &acme.token).await.revision(), 1);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn time_goes_on_even_when_the_clock_does_not(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    sqlx::query("UPDATE organization SET committed_at = now() + interval '30 seconds'")
        .execute(&world.pool)
        .await
        .unwrap();
    world.team(&acme, "One").await;
    world.team(&acme, "Two").await;
    let events = world.events(acme.id).await;
    let [one, two] = [&events[1].0, &events[2].0].map(|event| event.committed_at.0);
    assert_eq!(two, one + 1, "one microsecond later");
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_revision_that_is_dropped_leaves_no_trace(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let author = Author { actor: Actor::system("test"), request_id: None, repeatable: None };
    drop(world.store.revision_in_any_state(acme.id, author.clone()).await.unwrap());
    let seen = world.store.revision_in_any_state(acme.id, author).await.unwrap().unchanged().await.unwrap();
    assert_eq!((seen.revision, world.events(acme.id).await.len()), (Revision::first_epoch(1), 1));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_catalogue_is_published_when_it_differs(pool: PgPool) {
    let world = World::new(pool);
    let seen = world.store.publish_catalogue().await.unwrap();
    assert_eq!((seen.organization, seen.revision), (PLATFORM_ORGANIZATION, Revision::first_epoch(1)));
    let roles = Catalogue::compiled_in().roles();
    assert_eq!(world.last_changes(PLATFORM_ORGANIZATION).await, [Change::CatalogueChanged { roles }]);
    assert_eq!(world.store.publish_catalogue().await.unwrap(), seen, "the same is not published again");

    sqlx::query("UPDATE published_catalogue SET digest = ''").execute(&world.pool).await.unwrap();
    let starts = [world.store.publish_catalogue(), world.store.publish_catalogue(), world.store.publish_catalogue()];
    for seen in futures::future::join_all(starts).await {
        assert_eq!(seen.unwrap().revision, Revision::first_epoch(2), "several replicas publish once");
    }
    assert_eq!(world.events(PLATFORM_ORGANIZATION).await.len(), 2);
    assert!(world.entries(PLATFORM_ORGANIZATION).await.is_empty(), "the platform is not in the directory");
}
