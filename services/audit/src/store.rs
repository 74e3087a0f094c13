//! The audit record in PostgreSQL.

mod append;
mod counts;

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

pub use append::append;
pub use counts::{TopicCount, counts};

/// All tables of the database `audit`.
pub static MIGRATOR: LazyLock<Migrator> =
    LazyLock::new(|| writ_service::database::merged(&[&writ_log::MIGRATIONS, &OWN]));

static OWN: Migrator = sqlx::migrate!("./migrations");

#[cfg(test)]
mod tests;
