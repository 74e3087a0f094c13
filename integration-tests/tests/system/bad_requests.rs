//! Bad input over HTTP: a clear answer that names what is wrong, and the next request is served.

use anyhow::Result;
use integration_tests::{Organization, System};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

async fn answer(request: RequestBuilder) -> Result<(u16, String, Value)> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let kind =
        response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let text = response.text().await?;
    Ok((status, kind, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

/// The management API answers problem+json.
#[tokio::test(flavor = "multi_thread")]
async fn the_management_api_says_what_is_wrong() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let post = |path: &str| {
        let url = format!("{}{path}", system.identity_url("us"));
        system.http().post(url).bearer_auth(&organization.owner_token).header("content-type", "application/json")
    };
    let unknown = format!("/v3/teams/{}/users", uuid::Uuid::now_v7());
    let cases = [
        ("malformed JSON", post("/v3/teams").body("{"), 400),
        ("a wrong type", post("/v3/teams").body(r#"{"name":7}"#), 400),
        ("a missing field", post("/v3/teams").body("{}"), 400),
        ("an unknown team", post(&unknown).body(json!({"id": organization.owner}).to_string()), 404),
        (
            "an unknown role",
            post(&format!("/v3/users/{}/assigned-roles", organization.owner)).body(
                r#"{"role_name":"King","entity_type_name":"Control Planes","entity_id":"*","entity_region":"eu"}"#,
            ),
            400,
        ),
        (
            "an unknown region",
            post(&format!("/v3/users/{}/assigned-roles", organization.owner)).body(
                r#"{"role_name":"Viewer","entity_type_name":"Control Planes","entity_id":"*","entity_region":"xx"}"#,
            ),
            400,
        ),
    ];
    for (what, request, expected) in cases {
        let (status, kind, body) = answer(request).await?;
        assert_eq!(status, expected, "{what}: {body}");
        assert!(kind.starts_with("application/problem+json"), "{what}: {kind}");
        assert_eq!(body["status"], expected, "{what}: {body}");
        if expected == 400 && what != "malformed JSON" {
            assert!(body["invalid_parameters"][0]["field"].is_string(), "{what} names the field: {body}");
        }
    }
    let wrong_kind = system.http().post(format!("{}/v3/teams", system.identity_url("us")));
    let wrong_kind = wrong_kind.bearer_auth(&organization.owner_token).header("content-type", "text/plain").body("{}");
    assert!([400, 415].contains(&answer(wrong_kind).await?.0));
    let oversized = post("/v3/teams").body(format!(r#"{{"name":"x","description":"{}"}}"#, "x".repeat(300 << 10)));
    assert_eq!(answer(oversized).await?.0, 413);
    organization.admin.create_team("still served", "").await?;
    Ok(())
}

/// Neither API serves anyone without a good token.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_bearer_token_is_refused_by_both_apis() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let mut damaged = organization.owner_token.clone();
    let last = damaged.pop().unwrap();
    damaged.push(if last == 'A' { 'B' } else { 'A' });
    let question = json!({"subject": {"type": "user", "id": organization.owner}, "action": {"name": "view"},
        "resource": {"type": "control_planes", "id": "cp"}});
    for bad in ["", "nonsense", &damaged, "kpat_us_x"] {
        let management = system.http().get(format!("{}/v3/users/me", system.identity_url("us"))).bearer_auth(bad);
        assert_eq!(answer(management).await?.0, 401, "management, {bad:?}");
        let read = system
            .http()
            .post(format!("{}/access/v1/evaluation", system.read_url("eu")))
            .bearer_auth(bad)
            .json(&question);
        assert_eq!(answer(read).await?.0, 401, "read, {bad:?}");
    }
    let none = system.http().get(format!("{}/v3/users/me", system.identity_url("us")));
    assert_eq!(answer(none).await?.0, 401);
    Ok(())
}

/// The read API answers as AuthZEN says: a plain string.
#[tokio::test(flavor = "multi_thread")]
async fn the_read_api_says_what_is_wrong() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let post = |body: String| {
        let request = system.http().post(format!("{}/access/v1/evaluation", system.read_url("eu")));
        let request =
            request.bearer_auth(&organization.owner_token).header("content-type", "application/json; charset=utf-8");
        request.header("writ-at-least-as-fresh", &organization.consistency_token).header("prefer", "wait=10").body(body)
    };
    for (what, body) in [
        ("malformed JSON", "{".to_owned()),
        ("an empty body", String::new()),
        ("a wrong type", r#"{"subject":7}"#.to_owned()),
        (
            "no resource",
            json!({"subject": {"type": "user", "id": organization.owner}, "action": {"name": "view"}}).to_string(),
        ),
    ] {
        let (status, kind, body) = answer(post(body)).await?;
        assert_eq!(status, 400, "{what}: {body}");
        assert!(kind.starts_with("text/plain"), "{what}: {kind}");
    }
    let oversized = json!({"pad": "x".repeat(1200 << 10)}).to_string();
    assert_eq!(answer(post(oversized)).await?.0, 413);
    let unknown = json!({"subject": {"type": "user", "id": organization.owner}, "action": {"name": "no-such"},
        "resource": {"type": "no_such", "id": "nobody"}, "unknown": {"field": 1}});
    let (status, _, body) = answer(post(unknown.to_string())).await?;
    assert_eq!((status, &body["decision"]), (200, &Value::Bool(false)), "the unknown is a denial: {body}");
    Ok(())
}

/// Only the operator makes organizations, and the operator sees nothing inside one.
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_and_an_administrator_each_keep_to_their_side() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let body = json!({"name": "x", "owner": {"email": "x@x.example", "full_name": "X"}});
    let refused = organization.admin.call(Method::POST, "/v3/organizations", Some(&body)).await?;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let refused = system.operator("us").call(Method::GET, "/v3/users", None).await?;
    assert_eq!(refused.status, 403, "{}", refused.body);
    Ok(())
}
