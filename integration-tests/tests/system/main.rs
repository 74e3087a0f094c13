//! The whole system: three regions of real Kafka, MirrorMaker 2, PostgreSQL and the four services.
//! One module a promise.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod access_at_the_door;
mod bad_events;
mod bad_requests;
mod consistency;
mod databases;
mod features;
mod home_region;
mod letting_in;
mod metrics;
mod mirror;
mod openapi;
mod producers;
mod residency;
mod story;
mod traces;
