//! The transactional outbox: records become part of the transaction of the change they tell of,
//! and reach Kafka as soon as it has committed, even if the process dies in between.

mod flight;
mod publisher;
mod rows;
mod status;
mod wake;

pub use publisher::{PublishError, Publisher};
pub use rows::append;
pub use status::{OutboxStatus, StatusHandle};
