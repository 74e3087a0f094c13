//! `writ up`: starts everything that does not run, and shows the addresses.

use anyhow::Result;
use clap::Args;
use console::style;
use writ_local::{Cluster, Part, Progress, Service, UpOptions};

use crate::table::table;

/// What to start.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Up {
    /// Only Kafka, MirrorMaker and PostgreSQL, for services started from an editor
    #[arg(long)]
    without_services: bool,
    /// Install missing packages (Debian and Ubuntu; root always does)
    #[arg(long)]
    install: bool,
}

impl Up {
    pub(crate) async fn execute(self, cluster: &Cluster) -> Result<u8> {
        cluster.up(self.options(), &Progress::new()).await?;
        show(cluster);
        Ok(0)
    }

    pub(crate) fn options(self) -> UpOptions {
        UpOptions { services: !self.without_services, install: self.install }
    }
}

/// Shows addresses, the operator's token, and what to try next.
pub(crate) fn show(cluster: &Cluster) {
    println!("\n{}", addresses(cluster));
    if let Some(page) = cluster.jaeger_url() {
        println!("Traces             {page}");
    }
    if let Some(page) = cluster.prometheus_url() {
        println!("Metrics, alerts    {page}");
    }
    println!("Operator token     {}", cluster.secrets.operator_token);
    println!("Secrets, data      {}", cluster.home().root().display());
    let writ = std::env::args().next().unwrap_or_else(|| "writ".to_owned());
    println!("\n{}", style("Try next").bold());
    println!("  {writ} demo               the story, step by step");
    println!("  {writ} status --chains    what runs, and the state of every chain");
    println!("  {writ} logs -f            all logs as they are written");
    match cluster.in_containers() {
        true => println!("  docker compose down       stop everything; volumes stay"),
        false => println!("  {writ} down               stop everything; data stays"),
    }
}

fn addresses(cluster: &Cluster) -> comfy_table::Table {
    let headings = ["region", "identity", "read API", "authorization", "audit", "Kafka", "PostgreSQL"];
    let mut table = table(headings);
    for region in &cluster.regions {
        let url = |service| region.url(service);
        table.add_row([
            region.code.to_string(),
            url(Service::Identity),
            url(Service::Projector),
            url(Service::Authorization),
            url(Service::Audit),
            region.brokers(),
            format!("127.0.0.1:{}", region.port_of(Part::Postgres).unwrap_or_default()),
        ]);
    }
    table
}
