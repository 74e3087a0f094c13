//! The append-only record of what changed and what was decided.
fn main() {}
