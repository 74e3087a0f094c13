//! `writ bench writes`: how many changes a region's management API accepts in a second, over HTTP, and how long another
//! organization waits while one writes without end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use futures::future::try_join_all;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;
use writ_client::{ClientError, Management, http};
use writ_local::{Cluster, Progress, Service, UpOptions};

use super::machine::Busyness;
use super::report::{Quantiles, number};

const TOO_MANY: u16 = 429;

/// Options of the benchmark.
#[derive(Debug, Args)]
pub(crate) struct WritesBench {
    /// Concurrent clients, each with one request at a time
    #[arg(long, default_value_t = 16)]
    clients: u32,
    /// Organizations they write to, in turn; with one, another organization reads meanwhile
    #[arg(long, default_value_t = 64)]
    organizations: u32,
    /// Seconds to measure, after a warm-up of two
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// The result of a run. Times are in milliseconds.
#[derive(Debug, Serialize)]
struct Written {
    region: String,
    clients: u32,
    organizations: u32,
    per_second: f64,
    /// Changes refused because too many of the organization wait.
    refused: usize,
    latency: Quantiles,
    /// Reads of another organization meanwhile.
    other_organization: Quantiles,
    idle_cpu: Option<f64>,
}

/// Who is written to.
struct Target {
    organizations: Vec<Management>,
    other: Management,
}

/// What became of the requests of a client.
#[derive(Default)]
struct Outcome {
    written: Vec<Duration>,
    refused: usize,
}

impl WritesBench {
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        ensure!(
            self.clients > 0 && self.seconds > 0 && self.organizations > 0,
            "clients, organizations and seconds must be above zero"
        );
        cluster.up(UpOptions::default(), &Progress::new()).await?;
        let target = Arc::new(self.prepare(cluster).await?);
        self.write(&target, Duration::from_secs(2)).await?;
        let (busy, time) = (Busyness::now(), Duration::from_secs(self.seconds));
        let (outcomes, other_organization) = self.write(&target, time).await?;
        let refused = outcomes.iter().map(|outcome| outcome.refused).sum();
        let written: Vec<_> = outcomes.into_iter().flat_map(|outcome| outcome.written).collect();
        let result = Written {
            region: cluster.regions[0].code.to_string(),
            clients: self.clients,
            organizations: self.organizations,
            per_second: written.len() as f64 / time.as_secs_f64(),
            refused,
            latency: written.into(),
            other_organization: other_organization.into(),
            idle_cpu: busy.idle_since(),
        };
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&result)?),
            false => result.show(),
        }
        Ok(0)
    }

    async fn prepare(&self, cluster: &Cluster) -> Result<Target> {
        let identity = cluster.regions[0].url(Service::Identity);
        let operator = Management::new(http(), &identity, &cluster.secrets.operator_token);
        let organization = async || {
            let tag = Uuid::new_v4().simple();
            let email = format!("admin.{tag}@bench.example");
            let founded = operator.create_organization(&format!("Bench {tag}"), &email, "Bench Admin").await?;
            // Connections of its own, as another client has.
            Ok::<_, ClientError>(Management::new(http(), &identity, &founded.token))
        };
        let mut organizations = Vec::new();
        for _ in 0..self.organizations {
            organizations.push(organization().await?);
        }
        Ok(Target { organizations, other: organization().await? })
    }

    /// Runs all clients, and a reader of another organization, for that long.
    async fn write(&self, target: &Arc<Target>, time: Duration) -> Result<(Vec<Outcome>, Vec<Duration>)> {
        let end = Instant::now() + time;
        let clients = (0..self.clients).map(|client| tokio::spawn(one_client(target.clone(), client, end)));
        let reads = tokio::spawn(read_meanwhile(target.clone(), end));
        let outcomes: Result<Vec<_>> = try_join_all(clients).await?.into_iter().collect();
        Ok((outcomes?, reads.await??))
    }
}

async fn one_client(target: Arc<Target>, client: u32, end: Instant) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut turn = client as usize;
    while Instant::now() < end {
        let organization = &target.organizations[turn % target.organizations.len()];
        turn += 1;
        let body = json!({"name": format!("Team {}", Uuid::new_v4().simple())});
        let began = Instant::now();
        match organization.call(Method::POST, "/v3/teams", Some(&body)).await?.status {
            201 => outcome.written.push(began.elapsed()),
            TOO_MANY => outcome.refused += 1,
            other => anyhow::bail!("status {other}"),
        }
    }
    Ok(outcome)
}

async fn read_meanwhile(target: Arc<Target>, end: Instant) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        let answer = target.other.call(Method::GET, "/v3/users/me", None).await?;
        ensure!(answer.status == 200, "the other organization is answered {}", answer.status);
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(times)
}

impl Written {
    fn show(&self) {
        let Self { region, clients, organizations, per_second, refused, .. } = self;
        println!("{region}: {per_second:.0} changes a second, {clients} clients, {organizations} organizations");
        println!("refused: {refused}");
        for (who, Quantiles { p50, p90, p99, .. }) in
            [("changes", self.latency), ("reads of another organization", self.other_organization)]
        {
            println!("{who} ms: p50 {}, p90 {}, p99 {}", number(p50), number(p90), number(p99));
        }
        println!("idle CPU: {} %", number(self.idle_cpu.map(|share| share * 100.0)));
    }
}
