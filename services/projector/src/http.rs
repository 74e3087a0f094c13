//! The regional read API: OpenID AuthZEN 1.0.

mod admit;
mod answer;
mod caller;
mod decide;
mod error;
mod evaluation;
mod freshness;
mod metadata;
mod openapi;
mod routes;

pub use routes::router;

#[cfg(test)]
mod tests;
