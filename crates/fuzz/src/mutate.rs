//! New inputs from known ones.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::LONGEST;

/// Bytes that parsers treat in a special way.
const SPECIAL: &[u8] = b"\0\x01\x7f\x80\xff{}[]\",:\\;%/.-+eE0 \n";

/// Changes inputs at random, the same way for the same seed.
pub struct Mutator(SmallRng);

impl Mutator {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    /// One of the inputs, changed a few times.
    pub fn next(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut input = inputs.choose(&mut self.0).cloned().unwrap_or_default();
        for _ in 0..self.0.random_range(1..6) {
            self.change(&mut input, inputs);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let at = self.0.random_range(0..=input.len());
        let to = self.0.random_range(at..=input.len().min(at + 64));
        match self.0.random_range(0..8) {
            0 if at < input.len() => input[at] ^= 1 << self.0.random_range(0..8),
            1 if at < input.len() => input[at] = self.0.random(),
            2 => input.insert(at, *SPECIAL.choose(&mut self.0).unwrap_or(&0)),
            3 => drop(input.drain(at..to)),
            4 => {
                let piece = input[at..to].repeat(self.0.random_range(1..40));
                input.splice(at..at, piece);
            }
            5 => input.truncate(at),
            6 => {
                let other = inputs.choose(&mut self.0).map(Vec::as_slice).unwrap_or_default();
                input.truncate(at);
                input.extend_from_slice(&other[at.min(other.len())..]);
            }
            _ => {
                let piece: Vec<u8> = (0..self.0.random_range(1..16)).map(|_| self.0.random()).collect();
                input.splice(at..to, piece);
            }
        }
    }
}
