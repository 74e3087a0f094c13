//! The worked producers of `schemas/examples`: other systems, other languages.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use integration_tests::{Organization, System};
use writ_client::{AssignRole, Question};

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/examples").join(name)
}

/// Runs a producer; answers the event's id, which it prints.
fn run(mut command: Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("{command:?}: `make test` sets up Python, kcat is a package"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

async fn is_taken(organization: &Organization, entity: &str, event: &str) -> Result<()> {
    let user = organization.add_user(entity).await?;
    let role = AssignRole { role: "Viewer", entity_type: "Control Planes", entity, region: "eu" };
    let assigned = organization.admin.assign_role(user.id, role).await?;
    let fresh = format!("{},event;eu;demo;{event}", assigned.consistency_token.unwrap());
    let question = Question { user: user.id, action: "view", resource_type: "control_planes", resource: entity };
    let answer = organization.system.read("eu").evaluate(&user.token, question, Some(&fresh)).await?;
    ensure!(answer.allowed(), "{entity}: {} {}", answer.status, answer.body);
    Ok(())
}

/// Python with fastavro and confluent-kafka.
#[tokio::test(flavor = "multi_thread")]
async fn an_avro_record_from_python_is_taken() -> Result<()> {
    let organization = Organization::create(System::running().await?, "us").await?;
    let python = std::env::var("WRIT_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.arg(example("produce_entity.py")).arg("--config").arg(organization.system.client_file("eu")?);
    command.args(["--organization", &organization.id.to_string(), "--type", "control_planes", "--id", "cp-python"]);
    let event = run(command)?;
    is_taken(&organization, "cp-python", &event).await
}

/// The shell with kcat, to which `cargo test` gives the librdkafka that was built here: many systems' own is too old to
/// log in at Kafka 4.
#[tokio::test(flavor = "multi_thread")]
async fn a_json_record_from_the_shell_is_taken() -> Result<()> {
    let organization = Organization::create(System::running().await?, "us").await?;
    let mut command = Command::new(example("produce_entity.sh"));
    command.arg(organization.system.client_file("eu")?).args([
        &organization.id.to_string(),
        "control_planes",
        "cp-shell",
    ]);
    let event = run(command)?;
    is_taken(&organization, "cp-shell", &event).await
}
