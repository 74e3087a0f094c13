//! The read model: change sets of all regions, applied in memory and kept in PostgreSQL.

pub mod applied_events;
mod change_sets;
mod measure;
mod projection;
mod staged;

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

pub use projection::{Outcomes, ReadModel, ReadModelEffects};

/// All tables of the database `read_model`.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let own = sqlx::migrate!("./migrations");
    writ_service::database::merged(&[&writ_log::MIGRATIONS, &writ_chains::MIGRATIONS, &own])
});

#[cfg(test)]
mod tests;
