//! `writ probe`: whether an address answers, for health checks where there is no other client.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

const PATIENCE: Duration = Duration::from_secs(3);

/// What is asked.
#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// Address, such as http://127.0.0.1:18081/readyz
    url: String,
}

impl Probe {
    /// Exit code 0 when the answer is a success, 1 when it is another, with its text.
    pub(crate) async fn execute(&self) -> Result<u8> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let answer = client.get(&self.url).send().await?;
        let status = answer.status();
        println!("{status} {}", answer.text().await?);
        Ok(u8::from(!status.is_success()))
    }
}
