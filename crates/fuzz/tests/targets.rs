//! Every target with its seeds, its corpus and some mutations of them, the same in each run.

use writ_fuzz::{Mutator, TARGETS, corpus};

const MUTATIONS: usize = 10_000;

#[test]
fn no_input_breaks_a_target() {
    for target in TARGETS {
        let (mut inputs, mut mutator) = ((target.seeds)(), Mutator::new(1));
        assert!(!inputs.is_empty(), "{} has seeds", target.name);
        inputs.extend(corpus(target.name).unwrap());
        inputs.iter().for_each(|input| (target.run)(input));
        (0..MUTATIONS).for_each(|_| (target.run)(&mutator.next(&inputs)));
    }
}
