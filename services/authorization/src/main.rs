//! Turns what happened into policy change sets.
fn main() {}
