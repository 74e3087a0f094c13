//! `writ probe`: a health check for images without another HTTP client.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use clap::Args;

const PATIENCE: Duration = Duration::from_secs(3);

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// Address, such as http://127.0.0.1:18091/readyz [default: that of WRIT_OPERATIONS_LISTEN]
    url: Option<String>,
    /// Address where the service of this container has its operational routes
    #[arg(long, env = "WRIT_OPERATIONS_LISTEN", hide = true, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

impl Probe {
    /// Prints the answer. Returns 1 unless it is a success.
    pub(crate) async fn execute(&self) -> Result<u8> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let answer = client.get(self.url()).send().await?;
        let status = answer.status();
        println!("{status} {}", answer.text().await?);
        Ok(u8::from(!status.is_success()))
    }

    fn url(&self) -> String {
        let own = || format!("http://{}:{}/readyz", Ipv4Addr::LOCALHOST, self.listen.port());
        self.url.clone().unwrap_or_else(own)
    }
}
