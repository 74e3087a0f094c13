//! The regional read model of policies and the decision API.
fn main() {}
