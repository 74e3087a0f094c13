//! The topics of a region.

mod create;
mod ids;
mod list;
mod names;
mod origin;
mod partition;
mod spec;

pub use create::{EnsureError, ensure};
pub use ids::ids;
pub use list::{all, largest_record, per_producer, spec};
pub use names::*;
pub use origin::{mirrored, split};
pub use partition::partition_of;
pub use spec::{Cleanup, TopicSpec};

/// librdkafka's name for murmur2 over the key, which is how Java clients choose a partition.
pub const PARTITIONER: &str = "murmur2_random";
