//! The cluster's own Prometheus, which reads the real services.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::system::System;

/// Asks Prometheus.
pub struct Prometheus {
    http: reqwest::Client,
    url: String,
}

impl Prometheus {
    /// The Prometheus of the cluster, if there is one: it is started where it is installed.
    pub fn of(system: &System) -> Option<Self> {
        let url = system.cluster.prometheus_url()?;
        Some(Self { http: system.http(), url })
    }

    /// What an expression is now: a list of series.
    ///
    /// # Errors
    /// When it is no expression.
    pub async fn ask(&self, expression: &str) -> Result<Vec<Value>> {
        let data = self.get("query", &[("query", expression)]).await?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// Every rule as Prometheus evaluates it.
    ///
    /// # Errors
    /// When Prometheus does not answer.
    pub async fn rules(&self) -> Result<Vec<Value>> {
        let data = self.get("rules", &[]).await?;
        let groups = data["groups"].as_array().into_iter().flatten();
        Ok(groups.flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default()).collect())
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/{path}", self.url), query)?;
        let answer: Value = serde_json::from_str(&self.http.get(url).send().await?.text().await?)?;
        ensure!(answer["status"] == "success", "{path} {query:?}: {answer}");
        Ok(answer["data"].clone())
    }
}
