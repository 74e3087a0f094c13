//! The event log: writing records to Kafka and reading them.
//!
//! Writing: a service appends [`Outgoing`] records to the [`outbox`] in the transaction of the change they describe. A
//! publisher sends them to Kafka, in order, as soon as that transaction commits.
//! Reading: a service implements [`consumer::Projection`]. A [`Consumer`](consumer::Consumer) calls it with batches and
//! stores positions in the transaction of their effects.
//! Both run under a [`Lease`], so that only one of several replicas does.

mod backoff;
pub mod consumer;
pub mod database;
pub mod dead_letter;
mod envelope;
mod headers;
#[cfg(any(test, feature = "hostile"))]
pub mod hostile;
pub mod kafka;
pub mod lease;
pub mod loops;
pub mod metrics;
pub mod outbox;
mod outgoing;
pub mod park;
mod position;
pub mod producer;
mod record;
pub mod retention;
pub mod schemas;
#[cfg(test)]
mod testing;
mod trace;

pub use envelope::{Envelope, EnvelopeError};
pub use headers::Headers;
pub use lease::Lease;
pub use outgoing::Outgoing;
pub use producer::{Compression, LogProducer};
pub use record::ConsumedRecord;
pub use trace::fail as fail_span;

/// Migrations of the tables of this crate, versions 1 to 99.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
