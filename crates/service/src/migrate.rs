//! `<service> migrate`: brings the service's database up to date, and ends. Whoever may change tables is not who reads and
//! writes rows: the owner's password is known to whoever provisions, and never to the service that runs.

use std::process::ExitCode;

use anyhow::Context;
use serde::Deserialize;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

use crate::config;
use crate::database::DatabaseUrl;

/// The one word on the command line that asks for it.
const WORD: &str = "migrate";

/// All that is needed for it.
#[derive(Deserialize)]
struct Settings {
    /// `WRIT_DATABASE_URL`: here with the database's owner.
    database_url: DatabaseUrl,
}

/// Whether this process was started to migrate.
pub fn asked_to_migrate() -> bool {
    std::env::args().nth(1).is_some_and(|word| word == WORD)
}

/// Brings the database of `WRIT_DATABASE_URL` up to date, as a process of its own.
pub async fn migrate(name: &'static str, migrator: &Migrator) -> ExitCode {
    match up_to_date(name, migrator).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn up_to_date(name: &str, migrator: &Migrator) -> anyhow::Result<()> {
    let settings: Settings = config::only()?;
    let options = settings.database_url.options().application_name(name);
    let mut connection = PgConnection::connect_with(&options).await.context("PostgreSQL")?;
    migrator.run(&mut connection).await.context("the database cannot be brought up to date")?;
    Ok(connection.close().await?)
}
