//! The event log: what every service needs to write records to Kafka and to read them.
//!
//! Writing: a service appends [`Outgoing`] records to the [`outbox`] in the transaction of the
//! change they tell of; a publisher takes them to Kafka, in order, as soon as that commits.
//! Reading: a service implements [`consumer::Projection`]; a [`Consumer`](consumer::Consumer)
//! calls it with batches and records positions in the transaction of their effects.
//! Both act under a [`Lease`], so that of several replicas only one does.

mod backoff;
pub mod consumer;
pub mod dead_letter;
mod envelope;
mod headers;
pub mod kafka;
pub mod lease;
pub mod metrics;
pub mod outbox;
mod outgoing;
pub mod park;
mod position;
pub mod producer;
mod record;
pub mod schemas;
#[cfg(test)]
mod testing;
mod trace;

pub use envelope::{Envelope, EnvelopeError};
pub use headers::Headers;
pub use lease::Lease;
pub use outgoing::Outgoing;
pub use producer::{Pace, Producer};
pub use record::Record;
pub use trace::fail as fail_span;

/// The tables of this crate, versions 1 to 99, in the database of each service.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
