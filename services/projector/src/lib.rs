//! The regional read model of policies and the decision API.

pub mod authzen;
pub mod freshness;
