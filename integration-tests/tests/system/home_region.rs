//! A management request that reaches another region.

use anyhow::Result;
use integration_tests::{Organization, System};
use reqwest::Method;

/// It is sent home, from the token's text alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_another_region_is_sent_home() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let elsewhere = system.management("eu", &organization.owner_token);
    let answer = elsewhere.call(Method::GET, "/v3/users/me", None).await?;
    assert_eq!(answer.status, 307, "{}", answer.body);
    assert!(answer.body.to_string().contains(&system.identity_url("us")), "{}", answer.body);
    Ok(())
}
