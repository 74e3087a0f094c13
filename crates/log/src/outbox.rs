//! The transactional outbox: records are written in the transaction of the change they describe, and are sent to Kafka as
//! soon as it commits, even if the process dies in between.

mod flight;
mod handover;
mod publisher;
mod rows;
mod status;
mod wake;

pub use handover::{Appended, Handover};
pub use publisher::{PublishError, Publisher};
pub use rows::{append, append_with};
pub use status::{OutboxStatus, StatusHandle};
