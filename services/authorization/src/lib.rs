//! Turns what happened into policy change sets.

pub mod derive;
