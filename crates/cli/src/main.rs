//! The writ command line: local cluster, demo, status, benchmarks.
fn main() {}
