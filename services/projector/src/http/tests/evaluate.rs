//! One decision: what is answered, and what is refused.

use super::*;

#[tokio::test]
async fn a_grant_on_one_region_decides_for_that_region_only() {
    let region = TestRegion::new().await;
    assert!(region.ask(region.as_user(), &may(USER, "view", "cp-1")).await.decision());
    for (action, resource) in [("view", "cp-us"), ("edit", "cp-1"), ("view", "cp-unknown"), ("no such", "cp-1")] {
        assert!(!region.ask(region.as_user(), &may(USER, action, resource)).await.decision(), "{action} {resource}");
    }
}

#[tokio::test]
async fn an_answer_is_the_decision_and_nothing_else() {
    let region = TestRegion::new().await;
    let answer = region.ask(region.as_user(), &may(USER, "view", "cp-1")).await;
    assert_eq!(answer.body, r#"{"decision":true}"#);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("writ-applied-revision"), "eu/entities=1.1, us/identity=1.2, us/entities=1.1");
}

#[tokio::test]
async fn removal_from_the_team_and_suspension_deny_at_once() {
    let mut region = TestRegion::new().await;
    region.change(vec![Operation::DropMembership { team: TEAM, member: USER.into() }]);
    assert!(!region.ask(region.as_user(), &may(USER, "view", "cp-1")).await.decision());
    region.change(vec![membership()]);
    assert!(region.ask(region.as_user(), &may(USER, "view", "cp-1")).await.decision());
    region.change(vec![Operation::PutOrganization { state: OrganizationState::Suspended }]);
    let asked = region.ask(region.as_platform("/access/v1/evaluation"), &may(USER, "view", "cp-1")).await;
    assert!(!asked.decision());
}

#[tokio::test]
async fn an_unknown_subject_is_a_denial() {
    let region = TestRegion::new().await;
    for subject in [
        json!({"type": "user", "id": Uuid::from_u128(99)}),
        json!({"type": "user", "id": "alice"}),
        json!({"type": "robot", "id": USER.to_string()}),
        json!({"type": "system_account", "id": USER.to_string()}),
        json!({"type": "user", "id": TEAM.to_string()}),
        json!({"type": "user", "id": Uuid::nil()}),
        json!({"type": "", "id": ""}),
    ] {
        let mut body = may(USER, "view", "cp-1");
        body["subject"] = subject.clone();
        assert!(!region.ask(region.as_platform("/access/v1/evaluation"), &body).await.decision(), "{subject}");
    }
}

#[tokio::test]
async fn content_types() {
    let region = TestRegion::new().await;
    let body = may(USER, "view", "cp-1").to_string();
    let send = |content_type: Option<&str>| {
        let mut request = Request::post("/access/v1/evaluation").header("authorization", bearer(&region.tokens.user));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        region.send(request.body(Body::from(body.clone())).unwrap())
    };
    for good in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"] {
        assert!(send(Some(good)).await.decision(), "{good}");
    }
    for bad in [None, Some("text/plain"), Some("application/jsonp"), Some("")] {
        send(bad).await.refused(400);
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_and_the_next_request_is_answered() {
    let region = TestRegion::new().await;
    let bodies = ["", "{", "[]", "null", r#"{"subject": {}}"#, r#"{"subject": 7}"#];
    for body in bodies {
        region.send(region.as_user().body(Body::from(body)).unwrap()).await.refused(400);
    }
    let mut mistyped = may(USER, "view", "cp-1");
    mistyped["context"] = json!([]);
    assert_eq!(region.ask(region.as_user(), &mistyped).await.refused(400), "context must be an object");
    region.send(region.as_user().body(Body::from(" ".repeat(400_000))).unwrap()).await.refused(413);
    assert!(region.ask(region.as_user(), &may(USER, "view", "cp-1")).await.decision());
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let region = TestRegion::new().await;
    let mut body = may(USER, "view", "cp-1");
    body["extra"] = json!({"a": [1, 2]});
    body["subject"]["extra"] = json!(true);
    assert!(region.ask(region.as_user(), &body).await.decision());
}

#[tokio::test]
async fn the_request_id_is_echoed() {
    let region = TestRegion::new().await;
    let request = region.as_user().header("x-request-id", "order-4711");
    assert_eq!(region.ask(request, &may(USER, "view", "cp-1")).await.header("x-request-id"), "order-4711");
    let refused = region.as_user().header("x-request-id", "order-4712").body(Body::empty()).unwrap();
    assert_eq!(region.send(refused).await.header("x-request-id"), "order-4712");
}

#[tokio::test]
async fn the_metadata_names_only_what_there_is() {
    let region = TestRegion::new().await;
    let request = Request::get("/.well-known/authzen-configuration").body(Body::empty()).unwrap();
    assert_eq!(
        region.send(request).await.json(),
        json!({
            "policy_decision_point": "https://read.eu.example",
            "access_evaluation_endpoint": "https://read.eu.example/access/v1/evaluation",
            "access_evaluations_endpoint": "https://read.eu.example/access/v1/evaluations",
        })
    );
    let openapi = region.send(Request::get("/openapi.json").body(Body::empty()).unwrap()).await.json();
    let paths: Vec<_> = openapi["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(paths, ["/.well-known/authzen-configuration", "/access/v1/evaluation", "/access/v1/evaluations"]);
    let evaluation = &openapi["paths"]["/access/v1/evaluation"]["post"];
    assert_eq!(evaluation["security"], json!([{"bearer": []}]));
    // Its values cannot be described by a schema, so it is not among the parameters.
    assert!(evaluation["description"].as_str().unwrap().contains("Writ-At-Least-As-Fresh"));
    assert!(openapi["info"]["description"].as_str().unwrap().contains("`Writ-At-Least-As-Fresh` holds"));
    assert_eq!(openapi["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let search = region.as_owner("/access/v1/search/subject").body(Body::from("{}")).unwrap();
    assert_eq!(region.send(search).await.status, 404);
    let get = Request::get("/access/v1/evaluation").body(Body::empty()).unwrap();
    assert_eq!(region.send(get).await.status, 405);
}

/// A gap, a fork or an unreadable record: what may be incomplete allows nothing.
#[tokio::test]
async fn a_halted_chain_allows_nothing() {
    let mut region = TestRegion::new().await;
    let _missing = region.change_at_home(vec![Operation::DropGrant { id: grant_id(10) }]);
    let early = region.change_at_home(Vec::new());
    let effects = region.model.plan(&[record(HOME, &early)]);
    region.model.committed(effects);
    let asked = region.ask(region.as_platform("/access/v1/evaluation"), &may(USER, "view", "cp-1")).await;
    assert!(!asked.decision());
    region.ask(region.as_user(), &may(USER, "view", "cp-1")).await.refused(401);
}
