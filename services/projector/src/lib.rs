//! The regional read model of policies and the decision API.

pub mod authzen;
pub mod decisions;
pub mod freshness;
pub mod http;
pub mod index;
pub mod meters;
pub mod read_model;
pub mod settings;
pub mod trace;

#[cfg(test)]
mod testing;
