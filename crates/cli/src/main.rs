//! `writ`: the local cluster, the demo and the benchmarks from the command line.

use std::process::ExitCode;

use clap::Parser;
use writ_cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().execute().await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{} {error:#}", console::style("error:").red().bold());
            ExitCode::FAILURE
        }
    }
}
