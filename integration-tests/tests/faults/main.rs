//! Faults that other tests of the same cluster would notice: these have one of their own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod mirror;
