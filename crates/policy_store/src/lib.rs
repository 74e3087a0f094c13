//! The rows of policy chains in PostgreSQL: written as the deltas say, read back at start.

mod batch;
mod chain;
mod error;
mod load;
pub mod metrics;
mod names;
mod staged;
mod table;
mod write;

pub use error::StoreError;
pub use load::{load, recompute_digest};
pub use staged::{stage, staged, unstage};
pub use write::write;

/// Versions 100 to 199.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

#[cfg(test)]
mod tests;
