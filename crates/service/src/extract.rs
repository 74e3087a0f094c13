//! Axum extractors whose refusals are [`Problem`](crate::Problem)s that point at what is wrong.
//!
//! One type parses, validates and describes a body or query: it derives `deserr::Deserr`, whose
//! errors are collected as [`Faults`], and utoipa's `ToSchema` or `IntoParams`.

mod faults;
mod json;
mod path;
mod query;

pub use faults::Faults;
pub use json::{Json, JsonBytes, NotJson, duplicate_member};
pub use path::Path;
pub use query::ListQuery;
