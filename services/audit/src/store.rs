//! The record in PostgreSQL.

mod append;
mod counts;

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

pub use append::append;
pub use counts::{TopicCount, counts};

/// The tables of the log and of this service.
pub static MIGRATOR: LazyLock<Migrator> =
    LazyLock::new(|| writ_service::database::merged(&[&writ_log::MIGRATIONS, &OWN]));

static OWN: Migrator = sqlx::migrate!("./migrations");

#[cfg(test)]
mod tests;
