//! The rules of identity data, without I/O.

pub mod assignment;
pub mod fields;
pub mod filter;
pub mod invalid;
pub mod invite;
pub mod labels;
pub mod organization;
pub mod page;
pub mod query;
pub mod team;
pub mod text;
pub mod token;
pub mod user;

pub use invalid::{Invalid, InvalidParameter, Source};
