//! The log's contract: every record as a Rust type with its Avro schema, the codec between
//! them, and the role catalogue.
//!
//! Field names equal those of `schemas/*.avsc`; a type's [`Record::TYPE`] is the schema's full
//! name and also the CloudEvents type of the record. Nothing here does I/O.

pub mod actor;
pub mod audit;
pub mod catalogue;
pub mod codec;
pub mod decision;
pub mod entity_event;
pub mod id;
pub mod identity_command;
pub mod identity_event;
pub mod organization;
pub mod policy_change;
pub mod record;
pub mod schema;
pub mod snapshot;
pub mod time;
pub mod token_usage;

pub use codec::{CodecError, decode, encode};
pub use id::{ChainId, Hash, PLATFORM_ORGANIZATION, Region, Stream};
pub use record::{CompiledSchema, Record};
pub use schema::SchemaRegistry;
pub use time::Timestamp;
