//! `<service> migrate`: migrates the service's database and exits. It runs with the credentials of the database's
//! owner, which the running service does not have: its role can only read and write rows.

use std::process::ExitCode;

use anyhow::Context;
use serde::Deserialize;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

use crate::config;
use crate::database::DatabaseUrl;

/// The command-line argument that asks for it.
const WORD: &str = "migrate";

#[derive(Deserialize)]
struct MigrationSettings {
    /// `WRIT_DATABASE_URL`, here with the credentials of the database's owner.
    database_url: DatabaseUrl,
}

/// Whether this process was started to migrate.
pub fn asked_to_migrate() -> bool {
    std::env::args().nth(1).is_some_and(|word| word == WORD)
}

/// Migrates the database of `WRIT_DATABASE_URL`.
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
    let settings: MigrationSettings = config::only()?;
    let options = settings.database_url.options().application_name(name);
    let mut connection = PgConnection::connect_with(&options).await.context("PostgreSQL")?;
    migrator.run(&mut connection).await.context("the database cannot be brought up to date")?;
    Ok(connection.close().await?)
}
