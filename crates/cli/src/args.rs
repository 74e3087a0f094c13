//! Command-line arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use writ_local::{Cluster, Options};

use crate::{
    bench, database, demo, doctor, down, logs, organization, probe, producer, provision, run, status, trace, up,
};

/// Runs Writ on this machine, with regions of real Kafka, MirrorMaker 2, PostgreSQL and services, and provisions real
/// regions.
#[derive(Debug, Parser)]
#[command(name = "writ", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  writ demo                             start two regions and walk through the story
  writ up                               start what does not run; prints the addresses
  writ status --chains                  what runs, and the state of every chain in each region
  writ logs eu projector -f             follow one service's log
  writ trace                            the path of the last change through all regions
  writ up --regions us,eu,au            add a third region
  writ producer add gateways --kind entities   give another system access to Kafka
  writ organization recover ORGANIZATION ADMINISTRATOR   let a locked-out administrator in again
  writ --home /tmp/two --port-offset 300 up    run a second cluster
  writ provision region --help          provision the servers of a real region
  writ down                             stop everything; data stays";

/// The cluster.
#[derive(Debug, Clone, Args)]
struct ClusterArgs {
    /// Folder of the cluster: data, logs, secrets [default: .writ in the project]
    #[arg(long, env = "WRIT_HOME", global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Added to every port, so that several clusters can run on the machine [default: 0, or as before]
    #[arg(long, env = "WRIT_PORT_OFFSET", global = true, value_name = "N")]
    port_offset: Option<u16>,
    /// Regions, in the order of their ports [default: us,eu, or as before]
    #[arg(long, global = true, value_delimiter = ',', value_name = "CODES")]
    regions: Option<Vec<String>>,
    /// Run Kafka without TLS, passwords and access rights, in a new cluster, to measure what they cost
    #[arg(long, global = true, hide_short_help = true)]
    plaintext_kafka: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything that does not run, and wait until it is ready
    Up(up::Up),
    /// Stop every process of the cluster; data stays
    Down,
    /// Show the parts of each region
    Status(status::Status),
    /// Show the logs
    Logs(logs::Logs),
    /// Draw the trace of a change through all regions
    Trace(trace::TraceArgs),
    /// Find out what is missing or in the way
    Doctor,
    /// Start the cluster, and stop it when standard input closes or on Ctrl-C
    Run(up::Up),
    /// Start the cluster and walk through the story: a role granted in one region is in force in another
    Demo(demo::Demo),
    /// Manage the access of other systems to the log
    #[command(subcommand)]
    Producer(producer::ProducerCommand),
    /// Help organizations, as the platform's operator
    #[command(subcommand)]
    Organization(organization::OrganizationCommand),
    /// Run benchmarks
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Provision a real region by address and credentials, or the containers of docker-compose.yml
    #[command(subcommand)]
    Provision(provision::ProvisionCommand),
    /// Check that an address answers with a success
    Probe(probe::Probe),
    /// Run a command with DATABASE_URL of a temporary PostgreSQL
    WithDatabase(database::WithDatabase),
}

impl Cli {
    /// Runs the command and returns the exit code.
    ///
    /// # Errors
    /// If the command fails. The error is written for people.
    pub async fn execute(self) -> anyhow::Result<u8> {
        let open = || Cluster::open(self.cluster.options());
        match self.command {
            Command::Up(up) => up.execute(&open()?).await,
            Command::Down => down::execute(&open()?).await,
            Command::Status(status) => status.execute(&open()?).await,
            Command::Logs(logs) => logs.execute(&open()?),
            Command::Trace(trace) => trace.execute(&open()?).await,
            Command::Doctor => doctor::execute(&open()?).await,
            Command::Run(up) => run::execute(&open()?, up).await,
            Command::Demo(demo) => demo.execute(&open()?).await,
            Command::Producer(producer) => producer.execute(open()?).await,
            Command::Organization(organization) => organization.execute(self.cluster.options()).await,
            Command::Bench(bench) => bench.execute(&open()?).await,
            Command::Provision(provision) => provision.execute(self.cluster.options()).await,
            Command::Probe(probe) => probe.execute().await,
            Command::WithDatabase(command) => command.execute().await,
        }
    }
}

impl ClusterArgs {
    fn options(&self) -> Options {
        let (home, regions) = (self.home.clone(), self.regions.clone());
        let plaintext_kafka = self.plaintext_kafka.then_some(true);
        Options { home, regions, port_offset: self.port_offset, plaintext_kafka, ..Options::default() }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
