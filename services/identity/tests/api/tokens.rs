use serde_json::{Value, json};
use sqlx::PgPool;
use writ_contract::actor::Actor;
use writ_contract::identity_event::Change;
use writ_contract::row::{Token, TokenKind};
use writ_contract::{StoredText, TokenId};
use writ_identity::jobs::delete_expired_tokens;
use writ_log::Lease;
use writ_log::loops::LoopTurns;
use writ_tokens::BearerToken;

use crate::support::{Organization, World, id, text};

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_user_has_several_tokens_and_revokes_one(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}/access-tokens", acme.owner);
    let created = world.post(&path, &acme.token, json!({"name": "ci", "ttl_seconds": 86400})).await;
    created.is(201);
    let (token, secret): (TokenId, _) = (id(&created.body), text(&created.body["konnect_token"]));
    assert_eq!((&created.body["state"], &created.body["user_id"]), (&json!("ACTIVE"), &json!(acme.owner)));
    let hash = BearerToken::parse(&secret).unwrap().hash();
    assert!(
        matches!(world.last_changes(acme.id).await[..], [Change::TokenIssued(Token { id: issued, principal, kind: TokenKind::Personal, hash: of, .. })]
        if issued == token && principal == acme.owner.into() && of == hash)
    );
    world.get("/v3/users/me", &secret).await.is(200);

    let one = format!("{path}/{token}");
    let mut shown = created.body.clone();
    shown.as_object_mut().unwrap().remove("konnect_token");
    assert_eq!(world.get(&one, &acme.token).await.body, shown, "the secret is shown once");
    let list = world.get(&path, &acme.token).await;
    assert_eq!(
        (&list.body["meta"], list.column("name")),
        (&json!({"number": 1, "size": 2, "total": 2}), vec!["First token", "ci"])
    );

    let revoked = world.call(http::Method::PATCH, &format!("{one}/revoke"), &acme.token, None).await;
    revoked.is(200);
    assert_eq!((&revoked.body["state"], &revoked.body["revoked_by"]), (&json!("REVOKED"), &json!(acme.owner)));
    assert!(revoked.body["revoked_at"].is_string());
    assert_eq!(world.last_changes(acme.id).await, [Change::TokenRevoked { token }]);
    world.get("/v3/users/me", &secret).await.is_problem(401);
    let again = world.call(http::Method::PATCH, &format!("{one}/revoke"), &acme.token, None).await;
    assert_eq!((again.status, again.revision(), &again.body), (200, revoked.revision(), &revoked.body));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_token_is_renamed_and_deleted(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}/access-tokens", acme.owner);
    let expires_at = (time::OffsetDateTime::now_utc() + time::Duration::days(3)).unix_timestamp();
    let expires_at = time::OffsetDateTime::from_unix_timestamp(expires_at).unwrap();
    let wanted = expires_at.format(&time::format_description::well_known::Rfc3339).unwrap();
    let created = world.post(&path, &acme.token, json!({"name": "ci", "expires_at": wanted})).await;
    created.is(201);
    assert_eq!(created.body["expires_at"], json!(wanted));
    let (token, secret): (TokenId, _) = (id(&created.body), text(&created.body["konnect_token"]));
    let one = format!("{path}/{token}");

    let renamed = world.patch(&one, &acme.token, json!({"name": "build"})).await;
    assert_eq!((renamed.status, &renamed.body["name"]), (200, &json!("build")));
    assert_eq!(
        world.last_changes(acme.id).await,
        [Change::TokenChanged { token, fields: vec![StoredText::lossy("name")] }]
    );
    let same = world.patch(&one, &acme.token, json!({"name": "build"})).await;
    assert_eq!((same.status, same.revision()), (200, renamed.revision()));

    world.delete(&one, &acme.token).await.is(204);
    assert_eq!(world.last_changes(acme.id).await, [Change::TokenRevoked { token }]);
    world.get("/v3/users/me", &secret).await.is_problem(401);
    for gone in [
        world.get(&one, &acme.token).await,
        world.delete(&one, &acme.token).await,
        world.patch(&one, &acme.token, json!({"name": "x"})).await,
    ] {
        gone.is_problem(404);
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_token_is_issued_to_its_user_alone(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    let path = format!("/v3/users/{}/access-tokens", bob.id);
    let body = json!({"name": "ci", "ttl_seconds": 86400});
    world.post(&path, &acme.token, body.clone()).await.is_problem(403);
    let token: TokenId = id(&world.post(&path, &bob.token, body).await.body);
    world.patch(&format!("{path}/{token}"), &acme.token, json!({"name": "mine"})).await.is_problem(403);

    // An administrator sees it and can take it away.
    assert_eq!(world.get(&path, &acme.token).await.column("name"), ["laptop", "ci"]);
    let revoked = world.call(http::Method::PATCH, &format!("{path}/{token}/revoke"), &acme.token, None).await;
    assert_eq!(revoked.body["revoked_by"], json!(acme.owner));
    world.delete(&format!("{path}/{token}"), &acme.token).await.is(204);
    let of_owner = format!("/v3/users/{}/access-tokens", acme.owner);
    world.get(&of_owner, &bob.token).await.is_problem(403);
    let owners = world.get(&of_owner, &acme.token).await.column("id")[0].to_owned();
    world.delete(&format!("{of_owner}/{owners}"), &bob.token).await.is_problem(403);
    world.get(&format!("{path}/{owners}"), &bob.token).await.is_problem(404);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn lifetimes_are_limited(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}/access-tokens", acme.owner);
    for (body, field) in [
        (json!({"name": "ci"}), "ttl_seconds"),
        (json!({"name": "ci", "ttl_seconds": 86399}), "ttl_seconds"),
        (json!({"name": "ci", "ttl_seconds": 31_536_001}), "ttl_seconds"),
        (json!({"name": "ci", "expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
        (json!({"name": "ci", "expires_at": "tomorrow"}), "expires_at"),
        (json!({"name": "ci", "ttl_seconds": 86400, "admin": true}), "body"),
    ] {
        world.post(&path, &acme.token, body).await.is_invalid(&[field]);
    }
    let listed = world.get(&path, &acme.token).await;
    assert_eq!(listed.body["data"][0]["revoked_at"], Value::Null);
}

/// Adds tokens of the owner that expire so long from now.
async fn add_tokens(world: &World, acme: &Organization, count: i32, expire_in: &str) {
    sqlx::query(
        "INSERT INTO token (organization, id, principal, kind, name, hash, created_at, updated_at, expires_at)
         SELECT $1, gen_random_uuid(), $2, 'personal', 'ci', uuid_send(gen_random_uuid()), now(), now(), now() + $4::interval
           FROM generate_series(1, $3)",
    )
    .bind(acme.id)
    .bind(acme.owner)
    .bind(count)
    .bind(expire_in)
    .execute(&world.pool)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_user_has_a_thousand_valid_tokens_at_most(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    add_tokens(&world, &acme, 998, "1 day").await;
    add_tokens(&world, &acme, 500, "0 days").await;
    let path = format!("/v3/users/{}/access-tokens", acme.owner);
    let body = json!({"name": "ci", "ttl_seconds": 86400});
    world.post(&path, &acme.token, body.clone()).await.is(201);
    world.post(&path, &acme.token, body.clone()).await.is_problem(409);
    let oldest = world.get(&path, &acme.token).await.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|token| token["name"] == "ci" && token["state"] == "ACTIVE")
        .map(|token| text(&token["id"]));
    world.delete(&format!("{path}/{}", oldest.unwrap()), &acme.token).await.is(204);
    world.post(&path, &acme.token, body).await.is(201);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn tokens_that_expired_a_week_ago_are_deleted_with_an_event(pool: PgPool) {
    let world = World::new(pool);
    let (acme, other, stuck) = (world.organization().await, world.organization().await, world.organization().await);
    add_tokens(&world, &acme, 130, "-8 days").await;
    add_tokens(&world, &acme, 1, "-6 days").await;
    add_tokens(&world, &other, 1, "-8 days").await;
    add_tokens(&world, &stuck, 1, "-8 days").await;
    sqlx::query("UPDATE organization SET committed_at = now() + interval '1 year' WHERE id = $1")
        .bind(stuck.id)
        .execute(&world.pool)
        .await
        .unwrap();
    let (lease, turns) = (Lease::acquire(&world.pool, "test").await, LoopTurns::new("test"));
    delete_expired_tokens(&world.store, &lease, &turns).await.unwrap();

    let events = world.events(acme.id).await;
    let revoked: Vec<usize> = events[1..]
        .iter()
        .map(|(event, changes)| {
            assert_eq!(event.actor, Actor::system("identity"));
            assert!(changes.iter().all(|change| matches!(change, Change::TokenRevoked { .. })));
            changes.len()
        })
        .collect();
    assert_eq!(revoked, [100, 30]);
    assert_eq!((world.events(other.id).await.len(), world.events(stuck.id).await.len()), (2, 1));
    let listed = world.get(&format!("/v3/users/{}/access-tokens", acme.owner), &acme.token).await;
    let mut states = listed.column("state");
    states.sort_unstable();
    assert_eq!(states, ["ACTIVE", "EXPIRED"]);
    delete_expired_tokens(&world.store, &lease, &turns).await.unwrap();
    assert_eq!(world.events(acme.id).await.len(), events.len(), "nothing is left to do");
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_token_does_not_outlive_its_issuer_unless_an_administrator_says_so(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let bob = world.user(&acme, "bob@acme.example").await;
    let expiry = |body: &Value| text(&body["expires_at"]);
    let path = format!("/v3/users/{}/access-tokens", bob.id);
    let issuer = expiry(&world.get(&path, &bob.token).await.body["data"][0]);
    let year = json!({"name": "ci", "ttl_seconds": 31_536_000});
    let issued = world.post(&path, &bob.token, year.clone()).await;
    issued.is(201);
    assert_eq!(expiry(&issued.body), issuer);
    // Nor does a chain of them.
    let again = world.post(&path, &text(&issued.body["konnect_token"]), year).await;
    assert_eq!(expiry(&again.body), issuer);
    let outliving = json!({"name": "ci", "ttl_seconds": 31_536_000, "may_outlive_issuer": true});
    world.post(&path, &bob.token, outliving.clone()).await.is_problem(403);

    let path = format!("/v3/users/{}/access-tokens", acme.owner);
    let issuer = expiry(&world.get(&path, &acme.token).await.body["data"][0]);
    let issued = world.post(&path, &acme.token, outliving).await;
    issued.is(201);
    assert!(expiry(&issued.body) > issuer);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_last_use_of_a_token_is_told_to_the_hour(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/users/{}/access-tokens", acme.owner);
    let last_use = async || world.get(&path, &acme.token).await.body["data"][0]["last_used_at"].clone();
    let store = async || world.store.store_last_uses(&world.app.last_uses).await.unwrap();
    assert_eq!(last_use().await, Value::Null, "not stored yet, and never before");
    store().await;
    let first = last_use().await;
    assert!(first.is_string());
    store().await;
    assert_eq!(last_use().await, first, "within the hour nothing is written");
    sqlx::query("UPDATE token SET last_used_at = last_used_at - interval '61 minutes'")
        .execute(&world.pool)
        .await
        .unwrap();
    last_use().await;
    store().await;
    let now = last_use().await;
    assert!(now.as_str() >= first.as_str(), "{now} {first}");
    assert_eq!(world.events(acme.id).await.len(), 1, "a use is no change");
}
