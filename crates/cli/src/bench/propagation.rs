//! `writ bench propagation`: from the commit in one region to the answer in another.

use anyhow::{Result, ensure};
use clap::Args;
use writ_local::{Cluster, LocalRegion, Progress, Service, UpOptions};

use super::histogram::Histogram;
use super::load::{Load, Rhythm};
use super::machine::{Busyness, fsync};
use super::report::{Report, StageReport};

/// Options of the benchmark.
#[derive(Debug, Args)]
pub(crate) struct Propagation {
    /// Role assignments per second
    #[arg(long, default_value_t = 50)]
    rate: u32,
    /// Role assignments measured
    #[arg(long, default_value_t = 1000)]
    count: u32,
    /// Role assignments before that, to warm up
    #[arg(long, default_value_t = 1000)]
    warm_up: u32,
    /// Region of the change [default: the first]
    #[arg(long, value_name = "CODE")]
    from: Option<String>,
    /// Region of the query [default: the second]
    #[arg(long, value_name = "CODE")]
    to: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Propagation {
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        ensure!(self.rate > 0 && self.count > 0, "rate and count must be above zero");
        let (from, to) = self.regions(cluster)?;
        cluster.up(UpOptions::default(), &Progress::new()).await?;
        let report = self.measure(cluster, from, to).await?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            report.show();
        }
        Ok(0)
    }

    fn regions<'a>(&self, cluster: &'a Cluster) -> Result<(&'a LocalRegion, &'a LocalRegion)> {
        ensure!(cluster.regions.len() > 1, "propagation needs two regions");
        let region = |code: &Option<String>, default: usize| match code {
            Some(code) => cluster.region(code),
            None => Ok(&cluster.regions[default]),
        };
        let (from, to) = (region(&self.from, 0)?, region(&self.to, 1)?);
        ensure!(from.code != to.code, "--from and --to must differ");
        Ok((from, to))
    }

    async fn measure(&self, cluster: &Cluster, from: &LocalRegion, to: &LocalRegion) -> Result<Report> {
        eprintln!("Preparing an organization in {} and {} entities in {} …", from.code, self.all(), to.code);
        let load = Load::prepare(cluster, from, to, self.all()).await?;
        eprintln!("Warming up with {} assignments at {}/s …", self.warm_up, self.rate);
        load.run(self.rhythm(0, self.warm_up)).await?;
        eprintln!("Measuring {} assignments at {}/s …", self.count, self.rate);
        let (before, busy) = (stages(from, to).await?, Busyness::now());
        let client = load.run(self.rhythm(self.warm_up, self.count)).await?;
        let (idle, after) = (busy.idle_since(), stages(from, to).await?);
        let stages = after.into_iter().zip(before).map(|(after, before)| after.since(&before)).collect();
        Ok(Report {
            from: from.code.to_string(),
            to: to.code.to_string(),
            rate: self.rate,
            count: self.count,
            client: client.into(),
            stages,
            fsync_ms: fsync(cluster.home().root()).ok(),
            idle_cpu: idle,
        })
    }

    fn all(&self) -> u32 {
        self.warm_up + self.count
    }

    fn rhythm(&self, first: u32, count: u32) -> Rhythm {
        Rhythm { first, count, rate: self.rate }
    }
}

/// The services' own histograms of each stage and of the total.
async fn stages(from: &LocalRegion, to: &LocalRegion) -> Result<Vec<StageReport>> {
    let at = |region: &LocalRegion, service| region.url(service);
    let wanted = [
        ("outbox", Some(3.0), at(from, Service::Identity)),
        ("authorization", Some(6.0), at(from, Service::Authorization)),
        ("mirror", Some(10.0), at(to, Service::Projector)),
        ("projector", Some(5.0), at(to, Service::Projector)),
        ("total", None, at(to, Service::Projector)),
    ];
    let mut stages = Vec::new();
    for (name, share_ms, url) in wanted {
        let text = reqwest::get(format!("{url}/metrics")).await?.error_for_status()?.text().await?;
        let labels = [("stage", name), ("origin", from.code.as_str())];
        let histogram = Histogram::parse(&text, "writ_propagation_seconds", &labels);
        stages.push(StageReport { name, share_ms, histogram });
    }
    Ok(stages)
}
