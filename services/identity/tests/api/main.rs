//! The management API, request by request, each test over a database of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod idempotency;
mod input;
mod invites;
mod limits;
mod lists;
mod members;
mod names;
mod organizations;
mod privacy;
mod recovery;
mod revisions;
mod rights;
mod roles;
mod support;
mod teams;
mod tokens;
mod users;
