//! The OpenAPI documents say what is accepted and what is answered: schemathesis, which makes requests from them, finds
//! nothing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use integration_tests::{Organization, System};
use serde_json::json;
use tokio::process::Command;
use tokio::time::timeout;

/// A run takes a minute or two beside all other tests.
const DEADLINE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn the_management_api_keeps_to_its_document() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    finds_nothing("management", &system.identity_url("us"), &organization.owner_token).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_read_api_keeps_to_its_document() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    // From here on the administrator's token is known in `eu`.
    let question = json!({"subject": {"type": "user", "id": organization.owner}, "action": {"name": "view"},
        "resource": {"type": "control_planes", "id": "cp"}});
    let asked = system.http().post(format!("{}/access/v1/evaluation", system.read_url("eu")));
    let asked = asked.bearer_auth(&organization.owner_token).json(&question);
    let asked = asked.header("writ-at-least-as-fresh", &organization.consistency_token).header("prefer", "wait=10");
    ensure!(asked.send().await?.status() == 200);
    finds_nothing("read", &system.read_url("eu"), &organization.owner_token).await
}

async fn finds_nothing(name: &str, url: &str, token: &str) -> Result<()> {
    // It keeps a cache where it runs.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis").join(name);
    std::fs::create_dir_all(&folder)?;
    let program = std::env::var("WRIT_TEST_SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    let mut command = Command::new(program);
    command.arg("run").arg(format!("{url}/openapi.json"));
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1"]);
    command.args(["--generation-database", "none", "--request-timeout", "30", "--no-color"]);
    command.arg("--header").arg(format!("Authorization: Bearer {token}"));
    command.current_dir(&folder).kill_on_drop(true);
    let output = timeout(DEADLINE, command.output()).await.context("schemathesis takes too long")?;
    let output = output.context("`make test` installs schemathesis")?;
    let report = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    ensure!(report.contains("Tested"), "no operation was tested: {report}");
    Ok(())
}
