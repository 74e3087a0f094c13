use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;
use writ_contract::actor::ActorKind;
use writ_contract::identity_event::Change;
use writ_contract::row::{Grant, Membership, OrganizationState, Token, TokenKind};
use writ_contract::{Hash, PrincipalId, Revision};
use writ_tokens::BearerToken;

use crate::support::{OPERATOR, World};

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn an_organization_begins_with_its_owner_as_administrator(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;

    let me = world.get("/v3/organizations/me", &acme.token).await;
    me.is(200);
    assert_eq!(me.body["id"], acme.id.to_string());
    assert_eq!(me.body["owner_id"], acme.owner.to_string());
    assert_eq!((&me.body["name"], &me.body["state"]), (&json!("Acme"), &json!("active")));
    for member in ["login_path", "retention_period_days", "created_at", "updated_at"] {
        assert!(!me.body[member].is_null(), "{member}");
    }
    let owner = world.get("/v3/users/me", &acme.token).await;
    assert_eq!((&owner.body["email"], &owner.body["active"]), (&json!("ada@acme.example"), &json!(true)));

    let token = BearerToken::parse(&acme.token).unwrap();
    assert_eq!((token.kind(), token.region().as_str(), token.organization()), (TokenKind::Personal, "us", acme.id));
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn its_first_event_tells_all_of_it(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let admins = world.administrators(&acme).await;
    let (event, changes) = world.events(acme.id).await.remove(0);
    assert_eq!((event.revision, event.previous_digest, event.features), (Revision::first_epoch(1), Hash::ZERO, 0));
    assert_eq!((event.actor.kind, event.actor.id.as_str()), (ActorKind::Operator, "operator"));
    assert!(event.request_id.is_some());
    let [created, invited, activated, team, assigned, member, issued] = changes.try_into().unwrap();
    assert_eq!(created, Change::OrganizationCreated { owner: acme.owner });
    assert_eq!(invited, Change::UserInvited { user: acme.owner });
    assert_eq!(activated, Change::UserActivated { user: acme.owner });
    assert_eq!(team, Change::TeamCreated { team: admins, system: true });
    assert!(
        matches!(assigned, Change::RoleAssigned(Grant { principal, role, entity_type, entity_id: None, region: None, .. })
        if principal == PrincipalId::from(admins) && role == "identity.admin" && entity_type == "identity")
    );
    assert!(
        matches!(member, Change::MemberAdded(Membership { team, member, .. }) if team == admins && member == acme.owner.into())
    );
    let hash = BearerToken::parse(&acme.token).unwrap().hash();
    assert!(matches!(issued, Change::TokenIssued(Token { principal, kind: TokenKind::Personal, hash: issued, .. })
        if principal == acme.owner.into() && issued == hash));

    let [entry] = world.entries(acme.id).await.try_into().unwrap();
    assert_eq!(
        (entry.home_region.as_str(), entry.state, entry.revision),
        ("us", OrganizationState::Active, Revision::first_epoch(1))
    );
    assert_eq!(entry.updated_at, event.committed_at);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_operator_suspends_and_activates(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/organizations/{}", acme.id);

    let suspended = world.patch(&path, OPERATOR, json!({"state": "inactive"})).await;
    suspended.is(200);
    assert_eq!((&suspended.body["state"], suspended.revision()), (&json!("inactive"), 2));
    world.get("/v3/users/me", &acme.token).await.is_problem(401);
    let again = world.patch(&path, OPERATOR, json!({"state": "inactive"})).await;
    assert_eq!((again.status, again.revision()), (200, 2), "nothing changed, nothing is written");

    world.patch(&path, OPERATOR, json!({"state": "active"})).await.is(200);
    world.get("/v3/users/me", &acme.token).await.is(200);
    let states: Vec<_> =
        world.entries(acme.id).await.into_iter().map(|entry| (entry.revision.number, entry.state)).collect();
    use OrganizationState::{Active, Suspended};
    assert_eq!(states, [(1, Active), (2, Suspended), (3, Active)]);
    assert_eq!(world.last_changes(acme.id).await, [Change::OrganizationStateChanged { state: Active }]);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn a_deleted_organization_is_gone_with_all_it_held(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let path = format!("/v3/organizations/{}", acme.id);
    let gone = world.delete(&path, OPERATOR).await;
    gone.is(204);
    assert_eq!(gone.revision(), 2);

    world.delete(&path, OPERATOR).await.is_problem(404);
    world.get(&path, OPERATOR).await.is_problem(404);
    world.patch(&path, OPERATOR, json!({"state": "active"})).await.is_problem(404);
    world.get("/v3/users/me", &acme.token).await.is_problem(401);
    assert_eq!(world.last_changes(acme.id).await, [Change::OrganizationDeleted {}]);
    assert_eq!(world.entries(acme.id).await.pop().unwrap().state, OrganizationState::Deleted);
    for table in ["principal", "user_account", "team", "membership", "role_assignment", "token"] {
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&world.pool)
            .await
            .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_operator_sees_organizations_and_nothing_inside(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let seen = world.get(&format!("/v3/organizations/{}", acme.id), OPERATOR).await;
    assert_eq!((seen.status, &seen.body["name"]), (200, &json!("Acme")));
    world.get(&format!("/v3/organizations/{}", Uuid::now_v7()), OPERATOR).await.is_problem(404);
    world.get(&format!("/v3/organizations/{}", Uuid::nil()), OPERATOR).await.is_problem(404);
    world.get("/v3/organizations/acme", OPERATOR).await.is_invalid(&["organizationID"]);
    for path in ["/v3/users", "/v3/teams", "/v3/roles", "/v3/users/me", "/v3/organizations/me"] {
        world.get(path, OPERATOR).await.is_problem(403);
    }
    world.post("/v3/invites", OPERATOR, json!({"email": "eve@acme.example"})).await.is_problem(403);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn only_the_operator_creates_organizations(pool: PgPool) {
    let world = World::new(pool);
    let acme = world.organization().await;
    let body = json!({"name": "Evil", "owner": {"email": "eve@evil.example", "full_name": "Eve"}});
    world.post("/v3/organizations", &acme.token, body.clone()).await.is_problem(403);
    world.post("/v3/organizations", "no-such-token", body).await.is_problem(401);
    world.delete(&format!("/v3/organizations/{}", acme.id), &acme.token).await.is_problem(403);
    world.post("/v3/organizations", OPERATOR, json!({"name": "Acme"})).await.is_invalid(&["owner"]);
    let wrong =
        json!({"name": "", "owner": {"email": "nobody", "full_name": 7}, "token": {"name": "t", "ttl_seconds": 1}});
    let fields = ["name", "owner.email", "owner.full_name", "token.ttl_seconds"];
    world.post("/v3/organizations", OPERATOR, wrong).await.is_invalid(&fields);
}

#[sqlx::test(migrator = "writ_identity::store::MIGRATOR")]
async fn the_same_address_may_be_in_two_organizations(pool: PgPool) {
    let world = World::new(pool);
    let (one, other) = (world.organization().await, world.organization().await);
    let (ada, other_ada) = (world.get("/v3/users/me", &one.token).await, world.get("/v3/users/me", &other.token).await);
    assert_eq!(ada.body["email"], other_ada.body["email"]);
    assert_ne!(ada.body["id"], other_ada.body["id"]);
}
