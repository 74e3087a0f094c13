//! The right to make a change is the one its maker has when it is made.

use http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::support::{OPERATOR, Organization, User, World};

fn admin_role() -> Value {
    json!({"role_name": "Admin", "entity_type_name": "Identity", "entity_id": "*", "entity_region": "*"})
}

/// A second administrator, through the team of administrators.
async fn second_administrator(world: &World, acme: &Organization) -> User {
    let (bob, admins) = (world.user(acme, "bob@acme.example").await, world.administrators(acme).await);
    world.post(&format!("/v3/teams/{admins}/users"), &acme.token, json!({"id": bob.id})).await.is(201);
    bob
}

/// What an administrator does between the authorization of a request and its change.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    Demotes,
    Revokes,
    Erases,
    Suspends,
    LetsExpire,
}

impl Meanwhile {
    async fn happens(self, world: &World, acme: &Organization, bob: &User) {
        let user = format!("/v3/users/{}", bob.id);
        match self {
            Self::Demotes => {
                let admins = world.administrators(acme).await;
                world.delete(&format!("/v3/teams/{admins}/users/{}", bob.id), &acme.token).await.is(204);
            }
            Self::Revokes => {
                let tokens = world.get(&format!("{user}/access-tokens"), &acme.token).await;
                let path = format!("{user}/access-tokens/{}/revoke", tokens.column("id")[0]);
                world.call(Method::PATCH, &path, &acme.token, None).await.is(200);
            }
            Self::Erases => world.delete(&user, &acme.token).await.is(204),
            Self::Suspends => {
                let path = format!("/v3/organizations/{}", acme.id);
                world.patch(&path, OPERATOR, json!({"state": "inactive"})).await.is(200);
            }
            Self::LetsExpire => {
                let expire = "UPDATE token SET expires_at = clock_timestamp() WHERE principal = $1";
                sqlx::query(expire).bind(bob.id).execute(&world.pool).await.unwrap();
            }
        }
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_right_that_is_taken_away_while_the_body_arrives_changes_nothing(pool: PgPool) {
    let world = World::new(pool);
    for (meanwhile, status) in [
        (Meanwhile::Demotes, 403),
        (Meanwhile::Revokes, 401),
        (Meanwhile::Erases, 401),
        (Meanwhile::Suspends, 401),
        (Meanwhile::LetsExpire, 401),
    ] {
        let acme = world.organization().await;
        let (bob, eve) = (second_administrator(&world, &acme).await, world.user(&acme, "eve@acme.example").await);
        let roles = format!("/v3/users/{}/assigned-roles", eve.id);
        let act = async {
            meanwhile.happens(&world, &acme, &bob).await;
            world.events(acme.id).await.len()
        };
        let (refused, before) = world.interrupted(Method::POST, &roles, &bob.token, admin_role(), act).await;
        refused.is_problem(status);
        let events = world.events(acme.id).await;
        assert_eq!(events.len(), before, "{meanwhile:?}: no revision is used");
        let revisions: Vec<i64> = events.iter().map(|(event, _)| event.revision.number).collect();
        assert!(revisions.is_sorted_by(|one, next| one + 1 == *next));
        let roles: i64 = sqlx::query_scalar("SELECT count(*) FROM role_assignment WHERE principal = $1")
            .bind(eve.id)
            .fetch_one(&world.pool)
            .await
            .unwrap();
        assert_eq!(roles, 0, "{meanwhile:?}");
    }
}

/// Returns when `count` statements of this database wait for a lock.
async fn waiting(pool: &PgPool, count: i64) {
    let wait = async {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await.unwrap() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.unwrap();
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_right_that_another_replica_takes_away_while_the_lock_is_awaited_changes_nothing(pool: PgPool) {
    let (one, other) = (World::new(pool.clone()), World::new(pool.clone()));
    for (meanwhile, status) in [(Meanwhile::Demotes, 403), (Meanwhile::Revokes, 401), (Meanwhile::Erases, 401)] {
        let acme = one.organization().await;
        let bob = second_administrator(&one, &acme).await;
        let mut tx = pool.begin().await.unwrap();
        let lock = sqlx::query("SELECT FROM organization WHERE id = $1 FOR UPDATE").bind(acme.id);
        lock.execute(&mut *tx).await.unwrap();
        let refused = async {
            waiting(&pool, 1).await;
            let release = async {
                waiting(&pool, 2).await;
                tx.rollback().await.unwrap();
            };
            tokio::join!(other.post("/v3/teams", &bob.token, json!({"name": "Late"})), release).0
        };
        let ((), refused) = tokio::join!(meanwhile.happens(&one, &acme, &bob), refused);
        refused.is_problem(status);
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn who_is_no_administrator_any_more_still_acts_for_itself(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = second_administrator(&world, &acme).await;
    let demote = Meanwhile::Demotes.happens(&world, &acme, &bob);
    let (path, body) = (format!("/v3/users/{}", bob.id), json!({"full_name": "Bob"}));
    world.interrupted(Method::PATCH, &path, &bob.token, body, demote).await.0.is(200);

    world.post(&format!("/v3/users/{}/assigned-roles", bob.id), &acme.token, admin_role()).await.is(201);
    let role = world.get(&format!("{path}/assigned-roles"), &acme.token).await.column("id")[0].to_owned();
    let demote = async { world.delete(&format!("{path}/assigned-roles/{role}"), &acme.token).await.is(204) };
    let (owner, body) = (format!("/v3/users/{}", acme.owner), json!({"full_name": "Eve"}));
    world.interrupted(Method::PATCH, &owner, &bob.token, body, demote).await.0.is_problem(403);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_invitation_that_lapses_while_it_is_accepted_is_void(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let invitation = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    let token = invitation.body["invite_token"].as_str().unwrap();
    let body = json!({"full_name": "Bob", "token": {"name": "laptop", "ttl_seconds": 86400}});
    let lapse = async {
        let expire = "UPDATE token SET expires_at = clock_timestamp() WHERE kind = 'invite'";
        sqlx::query(expire).execute(&world.pool).await.unwrap();
    };
    world.interrupted(Method::POST, "/v3/invites/accept", token, body, lapse).await.0.is_problem(401);
    assert_eq!(world.events(acme.id).await.len(), 2);
}

async fn set_clock_ahead(world: &World, interval: &str) {
    let ahead = "UPDATE organization SET committed_at = clock_timestamp() + $1::interval";
    sqlx::query(ahead).bind(interval).execute(&world.pool).await.unwrap();
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn lifetimes_are_counted_by_the_clock_and_not_by_the_chain(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let (tokens, day) = (format!("/v3/users/{}/access-tokens", acme.owner), Duration::days(1));
    set_clock_ahead(&world, "50 seconds").await;
    let expected = OffsetDateTime::now_utc() + day;
    let issued = world.post(&tokens, &acme.token, json!({"name": "ci", "ttl_seconds": 86400})).await;
    issued.is(201);
    let invited = world.post("/v3/invites", &acme.token, json!({"email": "bob@acme.example"})).await;
    invited.is(201);
    let ends: Vec<OffsetDateTime> =
        sqlx::query_scalar("SELECT expires_at FROM token WHERE name IN ('ci', 'Invitation') ORDER BY expires_at")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    let near = |end: OffsetDateTime, expected: OffsetDateTime| (end - expected).abs() < Duration::seconds(20);
    assert!(near(ends[0], expected) && near(ends[1], expected + day * 6), "{ends:?}");
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn nothing_is_changed_while_the_last_change_lies_in_the_future(pool: PgPool) {
    let world = World::new(pool);
    let (acme, other) = (world.organization().await, world.organization().await);
    set_clock_ahead(&world, "5 years").await;
    let tokens = format!("/v3/users/{}/access-tokens", acme.owner);
    let refused = world.post(&tokens, &acme.token, json!({"name": "ci", "ttl_seconds": 86400})).await;
    refused.is_problem(503);
    assert!(refused.headers.contains_key("retry-after"));
    assert!(refused.body["detail"].as_str().unwrap().contains("clock"), "{}", refused.body);
    world.delete(&format!("/v3/organizations/{}", other.id), OPERATOR).await.is_problem(503);
    assert_eq!(world.get(&tokens, &acme.token).await.column("name"), ["First token"], "reads go on");
    assert_eq!((world.events(acme.id).await.len(), world.events(other.id).await.len()), (1, 1));
    set_clock_ahead(&world, "-1 seconds").await;
    world.post(&tokens, &acme.token, json!({"name": "ci", "ttl_seconds": 86400})).await.is(201);
}
