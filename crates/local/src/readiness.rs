//! When a part can do its work.

use std::time::Duration;

use futures::future::try_join_all;
use sqlx::Connection as _;
use writ_kafka::Connection;

use crate::kafka;
use crate::mirror::Flow;
use crate::postgres::{self, Administration};

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(3);
/// How much of an answer is shown as the reason.
const REASON: usize = 200;

/// What makes a part ready.
#[derive(Debug)]
pub(crate) enum Ready<'a> {
    /// The server lets its administrator in.
    Postgres(Administration<'a>),
    /// The broker lets its administrator in.
    Kafka(Connection),
    /// All these directions move records.
    Mirror(Vec<Flow>),
    /// This address answers 200.
    Http(String),
}

impl Ready<'_> {
    /// Looks once; an error says what is missing.
    pub(crate) async fn look(&self) -> Result<(), String> {
        let looked = tokio::time::timeout(LOOK, self.look_patiently()).await;
        looked.unwrap_or_else(|_| Err("no answer".to_owned()))
    }

    async fn look_patiently(&self) -> Result<(), String> {
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
    Err(format!("{status} {}", text.chars().take(REASON).collect::<String>()))
}
