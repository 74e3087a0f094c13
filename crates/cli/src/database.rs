//! `writ with-database`: a temporary PostgreSQL, for tests of the stores.

use std::process::ExitStatus;

use anyhow::{Context, Result};
use clap::Args;
use writ_local::TemporaryPostgres;

/// What to run with the database.
#[derive(Debug, Args)]
pub(crate) struct WithDatabase {
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl WithDatabase {
    /// Returns the exit code of the command.
    pub(crate) async fn execute(&self) -> Result<u8> {
        let postgres = TemporaryPostgres::start().await?;
        let status = self.run(postgres.url()).await;
        postgres.stop().await;
        Ok(code(status?))
    }

    async fn run(&self, url: &str) -> Result<ExitStatus> {
        let (program, arguments) = self.command.split_first().context("no command")?;
        let mut command = tokio::process::Command::new(program);
        let command = command.args(arguments).env("DATABASE_URL", url);
        command.status().await.with_context(|| format!("cannot run {program}"))
    }
}

fn code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
