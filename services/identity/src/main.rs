//! The system of record of organizations, users, teams, tokens and role assignments.
fn main() {}
