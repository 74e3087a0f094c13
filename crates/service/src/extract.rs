//! Axum extractors whose refusals are [`Problem`]s that point at what is wrong.

mod json;
mod url;

pub use json::{Json, read_json};
pub use url::{Path, Query};
