//! The regional read API: OpenID AuthZEN 1.0.

mod answer;
mod body;
mod caller;
mod decide;
mod evaluation;
mod freshness;
mod metadata;
mod refusal;
mod routes;
mod state;

pub(crate) use caller::FOREIGN_ORGANIZATION;
pub use caller::PlatformTokens;
pub use freshness::Waiting;
pub use routes::router;
pub use state::{Api, Parts};

#[cfg(test)]
mod tests;
