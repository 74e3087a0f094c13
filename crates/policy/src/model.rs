//! The naive truth that property tests compare with: vectors, linear scans, everything worked
//! out anew. It shares the types of rows and nothing else with what it checks.

mod decide;
mod generate;
mod rows;
mod tests;

use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::{ChainId, Hash, PLATFORM_ORGANIZATION, Stream};

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
        self.seen = self.seen.max(set.revision);
        if set.revision <= have {
            if self.applied[set.revision as usize - 1].0.digest != set.digest {
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
        } else if self.seen > set.revision {
            self.halt = Some(Halt::Gap);
        }
    }

    fn obstacle(&self, set: &ChangeSet, have: i64) -> Option<Halt> {
        let previous = self.applied.last().map_or(Hash::ZERO, |(set, _)| set.digest);
        if set.revision > have + 1 {
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
    pub(crate) fn apply(&mut self, origin: &str, set: &ChangeSet, ops: &PolicyOps) {
        let id = ChainId { organization: set.organization, origin: origin.to_owned(), stream: set.stream };
        let other_home = |chain: &&ModelChain| {
            chain.id.organization == id.organization && chain.id.stream == id.stream && chain.id.origin != id.origin
        };
        let identity = id.stream == Stream::Identity && id.organization != PLATFORM_ORGANIZATION;
        if identity && self.chains.iter().any(|chain| other_home(&chain)) {
            return;
        }
        if !self.chains.iter().any(|chain| chain.id == id) {
            self.chains.push(ModelChain { id: id.clone(), applied: Vec::new(), halt: None, seen: 0 });
        }
        self.chains.iter_mut().filter(|chain| chain.id == id).for_each(|chain| chain.apply(set, ops));
    }
}
