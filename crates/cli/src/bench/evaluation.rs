//! `writ bench evaluation`: how many decisions a region's read API answers in a second, over HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use futures::future::try_join_all;
use serde::Serialize;
use writ_local::{Cluster, Progress, UpOptions};

use super::load::Load;
use super::machine::Busyness;
use super::report::{Quantiles, number};

/// Options of the benchmark.
#[derive(Debug, Args)]
pub(crate) struct EvaluationBench {
    /// Concurrent clients, each with one request at a time
    #[arg(long, default_value_t = 16)]
    clients: u32,
    /// Seconds to measure, after a warm-up of the same length
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// The result of a run. Times are in milliseconds.
#[derive(Debug, Serialize)]
struct Throughput {
    region: String,
    clients: u32,
    per_second: f64,
    latency: Quantiles,
    idle_cpu: Option<f64>,
}

impl EvaluationBench {
    /// Eight clients, for a second.
    pub(super) fn short() -> Self {
        Self { clients: 8, seconds: 1, json: false }
    }

    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        ensure!(self.clients > 0 && self.seconds > 0, "clients and seconds must be above zero");
        cluster.up(UpOptions::default(), &Progress::new()).await?;
        let load = self.prepare(cluster).await?;
        let result = self.measure(&load).await?;
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&result)?),
            false => result.show(),
        }
        Ok(0)
    }

    /// An organization with its home in the first region, queried in the second.
    pub(super) async fn prepare(&self, cluster: &Cluster) -> Result<Arc<Load>> {
        let away = cluster.regions.get(1).unwrap_or(&cluster.regions[0]);
        let load = Load::prepare(cluster, &cluster.regions[0], away, 1).await?;
        load.allow_first().await?;
        Ok(load)
    }

    async fn measure(&self, load: &Arc<Load>) -> Result<Throughput> {
        self.ask(load).await?;
        let busy = Busyness::now();
        let times = self.ask(load).await?;
        let per_second = times.len() as f64 / self.seconds as f64;
        let (region, clients) = (load.region().to_owned(), self.clients);
        Ok(Throughput { region, clients, per_second, latency: times.into(), idle_cpu: busy.idle_since() })
    }

    /// Runs all clients until the time is over.
    pub(super) async fn ask(&self, load: &Arc<Load>) -> Result<Vec<Duration>> {
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let clients = (0..self.clients).map(|_| tokio::spawn(one_client(load.clone(), end)));
        let all: Result<Vec<_>> = try_join_all(clients).await?.into_iter().collect();
        Ok(all?.concat())
    }
}

async fn one_client(load: Arc<Load>, end: Instant) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        load.ask_first().await?;
        times.push(began.elapsed());
    }
    Ok(times)
}

impl Throughput {
    fn show(&self) {
        println!("{}: {:.0} decisions a second, {} clients", self.region, self.per_second, self.clients);
        let Quantiles { p50, p90, p99, .. } = self.latency;
        println!("latency ms: p50 {}, p90 {}, p99 {}", number(p50), number(p90), number(p99));
        println!("idle CPU: {} %", number(self.idle_cpu.map(|share| share * 100.0)));
    }
}
