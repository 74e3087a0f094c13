//! Drives whatever reads bytes from outside with arbitrary ones. A target is a function of bytes that must not panic and
//! checks what must hold whatever they are.

#![allow(clippy::unwrap_used, reason = "a target may panic: that is a finding")]

mod corpus;
mod mutate;
mod records;
mod seeds;
mod texts;

pub use corpus::{corpus, keep};
pub use mutate::Mutator;

/// Longest input that is made.
pub const LONGEST: usize = 16 * 1024;

/// What is driven.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// Inputs to begin with, besides the corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Panics if something is wrong.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 10] = [
    Target { name: "envelope", seeds: records::scripts, run: records::envelope },
    Target { name: "codec", seeds: records::encoded, run: records::codec },
    Target { name: "authorization", seeds: records::scripts, run: records::authorization },
    Target { name: "projector", seeds: records::scripts, run: records::projector },
    Target { name: "audit", seeds: records::scripts, run: records::audit },
    Target { name: "entity-json", seeds: records::entity_json, run: records::entity_event },
    Target { name: "evaluations", seeds: texts::evaluations, run: texts::evaluation },
    Target { name: "bearer-token", seeds: texts::bearer_tokens, run: texts::bearer_token },
    Target { name: "consistency-token", seeds: texts::consistency_tokens, run: texts::consistency_token },
    Target { name: "mirror-watch", seeds: texts::mirror_records, run: texts::mirror_record },
];
