//! The read model: change sets of all regions, applied in memory and kept in PostgreSQL.

pub mod applied;
mod change_sets;
mod effects;
mod measure;
mod projection;
mod staged;
pub mod store;

pub use effects::Effects;
pub use projection::ReadModel;

#[cfg(test)]
mod tests;
