//! The naive truth that property tests compare with: vectors, linear scans, everything worked
//! out again each time. It shares the types of rows and nothing else with what it checks.

mod decide;
mod generate;
mod rows;
mod tests;

use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::{ChainId, Hash, Region};

use crate::{Halt, Row};

/// A chain as the list of all that was applied.
#[derive(Debug, Clone)]
pub(crate) struct ModelChain {
    pub(crate) id: ChainId,
    pub(crate) applied: Vec<(ChangeSet, PolicyOps)>,
    pub(crate) halt: Option<Halt>,
    pub(crate) seen: i64,
}

/// All chains.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) chains: Vec<ModelChain>,
}

impl ModelChain {
    pub(crate) fn rows(&self) -> Vec<Row> {
        rows::replay(self.applied.iter().flat_map(|(_, ops)| ops.ops.clone()))
    }

    pub(crate) fn state_digest(&self) -> Hash {
        rows::sum(&self.rows())
    }

    /// What an old or a new change set does to the chain, in the words of the architecture.
    fn apply(&mut self, set: &ChangeSet, ops: &PolicyOps) {
        let have = self.applied.len() as i64;
        let number = set.revision.number;
        self.seen = self.seen.max(number);
        if number <= have {
            if self.applied[number as usize - 1].0.digest != set.digest {
                self.halt = Some(Halt::Fork);
            }
            return;
        }
        if !matches!(self.halt, None | Some(Halt::Gap)) {
            return;
        }
        self.halt = self.obstacle(set, have);
        if self.halt.is_some() {
            return;
        }
        self.applied.push((set.clone(), ops.clone()));
        if self.state_digest() != set.state_digest {
            self.applied.pop();
            self.halt = Some(Halt::StateMismatch);
        } else if self.seen > number {
            self.halt = Some(Halt::Gap);
        }
    }

    fn obstacle(&self, set: &ChangeSet, have: i64) -> Option<Halt> {
        let previous = self.applied.last().map_or(Hash::ZERO, |(set, _)| set.digest);
        if set.revision.number > have + 1 {
            Some(Halt::Gap)
        } else if set.parts != 1 {
            Some(Halt::SeveralParts)
        } else if set.previous_digest != previous {
            Some(Halt::Fork)
        } else if Hash::of(&[&previous.0, &set.payload]) != set.digest {
            Some(Halt::DigestMismatch)
        } else if set.features != 0 {
            Some(Halt::UnknownFeature)
        } else {
            None
        }
    }
}

impl Model {
    pub(crate) fn apply(&mut self, origin: Region, set: &ChangeSet, ops: &PolicyOps) {
        let id = ChainId { organization: set.organization, origin, stream: set.stream };
        if id == generate::foreign() {
            return;
        }
        if !self.chains.iter().any(|chain| chain.id == id) {
            self.chains.push(ModelChain { id, applied: Vec::new(), halt: None, seen: 0 });
        }
        self.chains.iter_mut().filter(|chain| chain.id == id).for_each(|chain| chain.apply(set, ops));
    }
}
