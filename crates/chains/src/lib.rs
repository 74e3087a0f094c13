//! What every service that keeps policy chains has in common: the index in memory, its tables in PostgreSQL, and the
//! fate of the records that change it.

mod effects;
mod index;
pub mod metrics;
mod start;
mod store;

pub use effects::{ChainEffects, Park, organization_of};
pub use index::SharedIndex;
pub use start::retry_parked;
pub use store::{MIGRATIONS, load, parked, recompute_digest, stage, staged, unstage, write};
