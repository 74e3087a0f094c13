//! A task of MirrorMaker that fails is seen, and started again.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use integration_tests::{System, topic, until};
use rdkafka::producer::{FutureProducer, FutureRecord};
use uuid::Uuid;

const FROM_US: &str = r#"source="us""#;
const FAILED: &str = r#"state="failed""#;
const RUNNING: &str = r#"state="running""#;
const TASK_FAILED: &str = r#"reason="task_failed""#;
/// Soon enough for an alert.
const SEEN_WITHIN: Duration = Duration::from_secs(15);
const LIMIT: &str = "1048576";

/// Writes a record of so many bytes to the mirrored topic in `us`; answers its key.
async fn write(system: &System, bytes: usize) -> Result<String> {
    let producer: FutureProducer = system.kafka_of_commander("us").client_config("test").create()?;
    let (topic, key, value) = (system.commands_topic(), Uuid::now_v7().to_string(), vec![0; bytes]);
    let record = FutureRecord::to(&topic).key(&key).payload(&value);
    producer.send(record, Duration::from_secs(30)).await.map_err(|(error, _)| error)?;
    Ok(key)
}

async fn arrives(system: &System, key: &str) -> Result<()> {
    let copy = format!("us.{}", system.commands_topic());
    until("the record in the other region", async || {
        // The copy is made when the first record comes.
        let seen = topic::read_all(&system.kafka("eu"), &copy).unwrap_or_default();
        Ok(seen.iter().any(|record| record.key == key).then_some(()))
    })
    .await
}

/// The copy's limit is lowered below a record that is on its way: the target refuses it, and the task has failed for
/// good. No restart helps before the cause is gone; then all that was written arrives.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_task_is_seen_and_started_again() -> Result<()> {
    let _alone = crate::ALONE.lock().await;
    let system = System::running().await?;
    arrives(system, &write(system, 10).await?).await?;
    let tasks = async |state: &str| system.mirror_metric("eu", "writ_mirror_tasks", &[FROM_US, state]).await;
    let restarts = async || system.mirror_metric("eu", "writ_mirror_restarts_total", &[TASK_FAILED]).await;
    until("running tasks", async || Ok((tasks(RUNNING).await? > 0.0 && tasks(FAILED).await? == 0.0).then_some(())))
        .await?;
    let (running, before) = (tasks(RUNNING).await?, restarts().await?);

    let copy = format!("us.{}", system.commands_topic());
    topic::configure(&system.kafka("eu"), &copy, "max.message.bytes", "10000").await?;
    let (refused, written) = (write(system, 100_000).await?, Instant::now());
    until("a failed task in the metrics", async || Ok((tasks(FAILED).await? > 0.0).then_some(()))).await?;
    let seen = written.elapsed();
    ensure!(seen < SEEN_WITHIN, "seen after {seen:?}");
    until("a restart", async || Ok((restarts().await? > before).then_some(()))).await?;

    topic::configure(&system.kafka("eu"), &copy, "max.message.bytes", LIMIT).await?;
    let later = write(system, 10).await?;
    until("no failed task", async || Ok((tasks(FAILED).await? == 0.0).then_some(()))).await?;
    until("all tasks running", async || Ok((tasks(RUNNING).await? >= running).then_some(()))).await?;
    arrives(system, &refused).await?;
    arrives(system, &later).await?;
    until("everything ready", async || Ok(system.unready().await.is_empty().then_some(()))).await
}
