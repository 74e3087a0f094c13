//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use writ_local::{Cluster, Options};

use crate::{bench, database, demo, doctor, down, logs, probe, producer, provision, run, status, trace, up};

/// Runs Writ on this machine: regions of real Kafka, MirrorMaker 2, PostgreSQL and services, as
/// ordinary processes.
#[derive(Debug, Parser)]
#[command(name = "writ", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  writ demo                             see it happen: start two regions, walk through the story
  writ up                               start what does not run; prints the addresses
  writ status --chains                  what runs, and how far each region's policies are
  writ logs eu projector -f             follow one service's log
  writ trace                            the last change's way through all regions
  writ up --regions us,eu,au            a third region beside the two
  writ producer add billing --kind commands    let another system send commands
  writ --home /tmp/two --port-offset 300 up    a second cluster beside the first
  writ down                             end everything; data stays for the next up";

/// Which cluster.
#[derive(Debug, Clone, Args)]
struct Place {
    /// Folder of the cluster: data, logs, secrets [default: .writ in the project]
    #[arg(long, env = "WRIT_HOME", global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Added to every port, so that clusters can run beside each other [default: 0, or as before]
    #[arg(long, env = "WRIT_PORT_OFFSET", global = true, value_name = "N")]
    port_offset: Option<u16>,
    /// Regions, in the order of their ports [default: us,eu, or as before]
    #[arg(long, global = true, value_delimiter = ',', value_name = "CODES")]
    regions: Option<Vec<String>>,
    /// Kafka without TLS, passwords and rights, for a cluster that is new: only to measure what they cost
    #[arg(long, global = true, hide_short_help = true)]
    plaintext_kafka: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start what does not run, and wait until all of it is ready
    Up(up::Up),
    /// End every process of the cluster; data stays
    Down,
    /// Show each part of each region
    Status(status::Status),
    /// Show the logs
    Logs(logs::Logs),
    /// Draw the trace of a change: where its time went, in every region
    Trace(trace::Trace),
    /// Look for what is missing or in the way
    Doctor,
    /// Start, and end when standard input closes or on Ctrl-C
    Run(up::Up),
    /// Start, and walk through the story: a right granted in one region, in force in another
    Demo(demo::Demo),
    /// Let other systems write to the log
    #[command(subcommand)]
    Producer(producer::Producer),
    /// Measure
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Provision a real region by address and credentials, or the containers of docker-compose.yml
    #[command(subcommand)]
    Provision(provision::Provision),
    /// Ask an address once; fails unless the answer is a success
    Probe(probe::Probe),
    /// Run a command with DATABASE_URL of a PostgreSQL of its own, thrown away at the end
    WithDatabase(database::WithDatabase),
}

impl Cli {
    /// Does what was asked; returns the exit code.
    ///
    /// # Errors
    /// With what went wrong, for people.
    pub async fn execute(self) -> anyhow::Result<u8> {
        let open = || Cluster::open(self.place.options());
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
            Command::Bench(bench) => bench.execute(&open()?).await,
            Command::Provision(provision) => provision.execute(self.place.options()).await,
            Command::Probe(probe) => probe.execute().await,
            Command::WithDatabase(command) => command.execute().await,
        }
    }
}

impl Place {
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
