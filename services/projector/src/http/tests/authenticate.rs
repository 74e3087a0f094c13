//! Who may ask, and about whom.

use super::*;

const PATH: &str = "/access/v1/evaluation";

async fn with_authorization(region: &TestRegion, value: Option<&str>) -> TestAnswer {
    let mut request = TestRegion::post(PATH);
    if let Some(value) = value {
        request = request.header("authorization", value);
    }
    region.ask(request, &may(USER, "view", "cp-1")).await
}

#[tokio::test]
async fn without_a_token_in_force_nobody_is_answered() {
    let region = TestRegion::new().await;
    let (mut damaged, tokens) = (bearer(&region.tokens.user), &region.tokens);
    damaged.pop();
    let stranger = TestTokens::of(region.organization).user;
    let foreign = TestTokens::of(organization(2)).user;
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic dTpw",
        "Bearer nonsense",
        "Bearer kpat_us_x",
        &damaged,
        &bearer(&stranger),
        &bearer(&foreign),
        &bearer(&tokens.expired),
        &bearer(&tokens.invite),
    ] {
        let answer = with_authorization(&region, Some(value)).await;
        answer.refused(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
        assert!(answer.header("writ-consistency-token").is_empty());
    }
    let answer = with_authorization(&region, None).await;
    answer.refused(401);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert!(with_authorization(&region, Some(&bearer(&tokens.user))).await.decision());
    assert!(with_authorization(&region, Some(&bearer(&tokens.user).replace("Bearer", "bearer"))).await.decision());
}

/// A body that never arrives is not waited for.
#[tokio::test]
async fn nobody_has_a_body_read_without_a_token_in_force() {
    let region = TestRegion::new().await;
    let request = |authorization: &str| {
        let body = Body::from_stream(futures::stream::pending::<std::io::Result<axum::body::Bytes>>());
        TestRegion::post(PATH).header("authorization", authorization).body(body).unwrap()
    };
    let stranger = TestTokens::of(region.organization).user;
    for authorization in ["Bearer nonsense", &bearer(&stranger), &bearer(&region.tokens.expired)] {
        let answered = tokio::time::timeout(Duration::from_secs(5), region.send(request(authorization)));
        let answer = answered.await.expect("an answer before the body");
        answer.refused(401);
        assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
    }
}

/// The body may take a while.
#[tokio::test]
async fn a_token_that_is_revoked_while_the_body_arrives_is_no_token() {
    let mut region = TestRegion::new().await;
    let (arrives, arrived) = tokio::sync::oneshot::channel::<String>();
    let (read, reading) = tokio::sync::oneshot::channel();
    let body = Body::from_stream(futures::stream::once(async move {
        read.send(()).unwrap();
        arrived.await.map_err(std::io::Error::other)
    }));
    let request = region.as_user().body(body).unwrap();
    let app = region.app.clone();
    let asked = tokio::spawn(async move { TestAnswer::of(app.oneshot(request).await.unwrap()).await });
    reading.await.unwrap();
    region.change(vec![Operation::DropToken { id: TokenId::from_uuid(Uuid::from_u128(2)) }]);
    arrives.send(may(USER, "view", "cp-1").to_string()).unwrap();
    asked.await.unwrap().refused(401);
}

#[tokio::test]
async fn a_revoked_token_is_no_token() {
    let mut region = TestRegion::new().await;
    region.change(vec![Operation::DropToken { id: TokenId::from_uuid(Uuid::from_u128(2)) }]);
    with_authorization(&region, Some(&bearer(&region.tokens.user))).await.refused(401);
}

#[tokio::test]
async fn the_token_of_one_who_may_not_act_is_no_token() {
    let mut region = TestRegion::new().await;
    region.change(vec![put_principal(USER, PrincipalKind::User, false)]);
    with_authorization(&region, Some(&bearer(&region.tokens.user))).await.refused(401);
}

#[tokio::test]
async fn only_the_entitled_ask_about_others() {
    let mut region = TestRegion::new().await;
    region.ask(region.as_user(), &may(OWNER, "view", "cp-1")).await.refused(403);
    region.ask(region.as_user(), &may(Uuid::from_u128(99), "view", "cp-1")).await.refused(403);
    let mut same_id_other_kind = may(USER, "view", "cp-1");
    same_id_other_kind["subject"]["type"] = json!("system_account");
    region.ask(region.as_user(), &same_id_other_kind).await.refused(403);
    assert!(region.ask(region.as_owner(PATH), &may(USER, "view", "cp-1")).await.decision(), "an administrator may");

    region.change(vec![grant(20, TEAM, "identity.decision_reader", "identity", None, None)]);
    assert!(!region.ask(region.as_user(), &may(OWNER, "view", "cp-1")).await.decision(), "a reader gets an answer");
    region.change(vec![Operation::DropGrant { id: grant_id(20) }]);
    region.ask(region.as_user(), &may(OWNER, "view", "cp-1")).await.refused(403);
}

#[tokio::test]
async fn a_platform_service_names_the_organization_it_asks_about() {
    let region = TestRegion::new().await;
    assert!(region.ask(region.as_platform(PATH), &may(USER, "view", "cp-1")).await.decision());
    let platform = || TestRegion::post(PATH).header("authorization", format!("Bearer {PLATFORM_TOKEN}"));
    region.ask(platform(), &may(USER, "view", "cp-1")).await.refused(400);
    region.ask(platform().header("writ-organization", "acme"), &may(USER, "view", "cp-1")).await.refused(400);
    let other = platform().header("writ-organization", organization(2).to_string());
    assert!(!region.ask(other, &may(USER, "view", "cp-1")).await.decision(), "what it may not see does not exist");
}

#[tokio::test]
async fn a_principal_cannot_name_another_organization() {
    let region = TestRegion::new().await;
    let own = region.as_user().header("writ-organization", region.organization.to_string());
    assert!(region.ask(own, &may(USER, "view", "cp-1")).await.decision());
    let other = region.as_user().header("writ-organization", organization(2).to_string());
    region.ask(other, &may(USER, "view", "cp-1")).await.refused(400);
}
