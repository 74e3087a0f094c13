//! Faults that other tests of the same cluster would notice: these have one of their own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod hostile;
mod mirror;
mod traffic;

/// Held by each test: all of them disturb the whole cluster.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
