//! The texts that clients hold: bearer tokens, which say who asks, and consistency tokens, which
//! say what a client has already seen.
//!
//! A bearer token's text carries its kind, home region and organization in the clear, so that a
//! request can be routed to the organization's home without a lookup. A consistency token's text is
//! authenticated, so that a client cannot make a region wait for a state that does not exist. What is stored for a client
//! and may hold a secret is sealed.

mod bearer;
mod consistency;
mod event;
mod payload;
mod seal;

pub use bearer::{BearerError, BearerToken, hash_of, same_hash};
pub use consistency::{ConsistencyError, ConsistencyKey, ConsistencyToken, KeyError, SeenRevision, Wanted};
pub use event::EventToken;
pub use seal::{SealError, SealingKey};
