//! The log's contract: every record as a Rust type with its Avro schema, the codec between
//! them, and the role catalogue.
//!
//! Field names equal those of `schemas/*.avsc`; a type's [`Record::TYPE`] is the schema's full
//! name and also the CloudEvents type of the record. Nothing here does I/O.

pub mod actor;
pub mod audit;
pub mod catalogue;
pub mod chain;
pub mod codec;
pub mod decision;
pub mod entity_event;
pub mod hash;
pub mod id;
pub mod identity_command;
pub mod identity_event;
pub mod names;
#[cfg(feature = "utoipa")]
mod openapi;
pub mod organization;
pub mod policy_change;
pub mod record;
pub mod region;
pub mod row;
pub mod schema;
pub mod snapshot;
mod sql;
pub mod text;
pub mod time;
pub mod token_usage;

pub use chain::{ChainId, Revision, Stream};
pub use codec::{CodecError, decode, encode};
pub use hash::Hash;
pub use id::{
    ConditionId, GrantId, OrganizationId, PLATFORM_ORGANIZATION, PrincipalId, SystemAccountId, TeamId, TokenId, UserId,
};
pub use record::{CompiledSchema, Record};
pub use region::Region;
pub use schema::SchemaRegistry;
pub use text::{Action, EntityId, EntityType, ProducerName, RoleKey, StoredText};
pub use time::Timestamp;
