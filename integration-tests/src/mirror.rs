//! The mirror of a region, as mirror-watch sees it.

use anyhow::{Context, Result};

use crate::system::{COMMANDER, System};

impl System {
    /// The metrics of a region's mirror-watch.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn mirror_metrics(&self, region: &str) -> Result<String> {
        let port = self.region(region).ports.mirror_watch;
        Ok(self.http().get(format!("http://127.0.0.1:{port}/metrics")).send().await?.text().await?)
    }

    /// The sum of those samples of a metric of mirror-watch that have all these labels, such as `state="failed"`.
    ///
    /// # Errors
    /// When it does not answer, or has no such sample.
    pub async fn mirror_metric(&self, region: &str, name: &str, labels: &[&str]) -> Result<f64> {
        let text = self.mirror_metrics(region).await?;
        let of_metric = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
        let wanted = of_metric.filter(|sample| labels.iter().all(|label| sample.contains(label)));
        let values: Vec<f64> = wanted.filter_map(|sample| sample.rsplit_once(' ')?.1.parse().ok()).collect();
        values.first().with_context(|| format!("no {name} {labels:?} in\n{text}"))?;
        Ok(values.iter().sum())
    }

    /// The topic of the external producer of commands. It is mirrored.
    pub fn commands_topic(&self) -> String {
        format!("identity-commands-{COMMANDER}")
    }

    /// A region's Kafka, reached as the external producer of commands.
    pub fn kafka_of_commander(&self, region: &str) -> writ_kafka::Connection {
        self.kafka_as(region, &format!("producer-{COMMANDER}"))
    }

    /// What is not ready in any region, and why.
    pub async fn unready(&self) -> Vec<String> {
        let parts = self.cluster.status().await.into_iter().filter(|part| !part.ready);
        parts.map(|part| format!("{} {}: {}", part.region, part.part, part.reason.unwrap_or_default())).collect()
    }
}
