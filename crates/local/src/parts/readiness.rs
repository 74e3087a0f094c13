//! Whether a part can do its work.

use std::time::Duration;

use futures::future::try_join_all;
use sqlx::Connection as _;
use writ_kafka::Connection;

use crate::parts::kafka;
use crate::parts::mirror::Flow;
use crate::parts::postgres::{self, Administration};

/// Time-out of one check.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum length of a reason.
const MAX_REASON: usize = 200;

/// Condition for a part to be ready.
#[derive(Debug)]
pub(crate) enum Ready<'a> {
    /// The administrator can connect.
    Postgres(Administration<'a>),
    /// The broker answers its administrator.
    Kafka(Connection),
    /// Records move in all directions.
    Mirror(Vec<Flow>),
    /// The address answers with a success.
    Http(String),
}

impl Ready<'_> {
    /// Checks once. The error says what is missing.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let checked = tokio::time::timeout(TIMEOUT, self.check_untimed()).await;
        checked.unwrap_or_else(|_| Err("no answer".to_owned()))
    }

    async fn check_untimed(&self) -> Result<(), String> {
        match self {
            Self::Postgres(server) => enter(server).await.map_err(|error| error.to_string()),
            Self::Kafka(kafka) => kafka::answers(kafka).await,
            Self::Mirror(flows) => try_join_all(flows.iter().map(Flow::moves)).await.map(drop),
            Self::Http(url) => ask(url).await,
        }
    }
}

async fn enter(server: &Administration<'_>) -> crate::Result<()> {
    Ok(postgres::connect(server, "postgres").await?.close().await?)
}

async fn ask(url: &str) -> Result<(), String> {
    let answer = reqwest::get(url).await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() {
        return Ok(());
    }
    let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
    Err(format!("{status} {}", text.chars().take(MAX_REASON).collect::<String>()))
}
