//! Change sets that arrived before the ones below them.

use std::collections::{BTreeMap, HashMap};

use writ_contract::policy_change::ChangeSet;
use writ_contract::{ChainId, OrganizationId, Region, Revision};

/// Bytes of the change sets of one chain that may be staged.
const MOST_OF_CHAIN: usize = 8 * 1024 * 1024;
/// Bytes of those of all chains of one region.
const MOST_OF_ORIGIN: usize = 32 * 1024 * 1024;
/// What a change set takes besides its payload, about.
const ENVELOPE: usize = 512;

/// Change sets above a gap, by chain and revision. All of them are in PostgreSQL, too.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Staged {
    sets: HashMap<ChainId, BTreeMap<Revision, ChangeSet>>,
    /// Bytes of each chain and of each region.
    of_chain: HashMap<ChainId, usize>,
    of_origin: HashMap<Region, usize>,
}

/// What was done to the staged change sets, so that it can be taken back.
#[derive(Debug)]
pub(super) enum Step {
    /// A change set was staged at this revision.
    Put(ChainId, Revision),
    /// A change set is no longer staged.
    Removed(ChainId, Box<ChangeSet>),
}

impl Staged {
    /// The stored change sets, with the regions they come from.
    pub(super) fn load(stored: Vec<(Region, ChangeSet)>) -> Self {
        let mut staged = Self::default();
        for (origin, set) in stored {
            staged.insert(ChainId { organization: set.organization, origin, stream: set.stream }, set);
        }
        staged
    }

    /// Whether there is room for a change set of the chain. What is not staged leaves a gap, as if it had not come yet.
    pub(super) fn has_room(&self, chain: &ChainId, set: &ChangeSet) -> bool {
        let used = |bytes: Option<&usize>| bytes.copied().unwrap_or(0) + size(set);
        used(self.of_chain.get(chain)) <= MOST_OF_CHAIN && used(self.of_origin.get(&chain.origin)) <= MOST_OF_ORIGIN
    }

    /// Stages a change set where none is.
    pub(super) fn put(&mut self, chain: ChainId, set: ChangeSet, steps: &mut Vec<Step>) {
        steps.push(Step::Put(chain, set.revision));
        self.insert(chain, set);
    }

    /// Takes the change set at a revision, and forgets all below it.
    pub(super) fn take(&mut self, chain: &ChainId, revision: Revision, steps: &mut Vec<Step>) -> Option<ChangeSet> {
        let through: Vec<Revision> = self.sets.get(chain)?.range(..=revision).map(|(revision, _)| *revision).collect();
        let mut last = None;
        for taken in through {
            let Some(set) = self.remove(chain, taken) else { continue };
            last = (taken == revision).then(|| set.clone());
            steps.push(Step::Removed(*chain, Box::new(set)));
        }
        last
    }

    /// As if these steps had not been taken.
    pub(super) fn take_back(&mut self, steps: Vec<Step>) {
        for step in steps.into_iter().rev() {
            match step {
                Step::Put(chain, revision) => drop(self.remove(&chain, revision)),
                Step::Removed(chain, set) => self.insert(chain, *set),
            }
        }
    }

    /// Whether there is a change set at the revision of this one.
    pub(super) fn contains(&self, chain: &ChainId, revision: Revision) -> bool {
        self.sets.get(chain).is_some_and(|sets| sets.contains_key(&revision))
    }

    /// The chains of an organization that have staged change sets.
    pub(super) fn chains_of(&self, organization: OrganizationId) -> Vec<ChainId> {
        self.sets.keys().filter(|chain| chain.organization == organization).copied().collect()
    }

    /// Number of staged change sets.
    pub(super) fn len(&self) -> usize {
        self.sets.values().map(BTreeMap::len).sum()
    }

    fn insert(&mut self, chain: ChainId, set: ChangeSet) {
        let bytes = size(&set);
        if self.sets.entry(chain).or_default().insert(set.revision, set).is_none() {
            *self.of_chain.entry(chain).or_default() += bytes;
            *self.of_origin.entry(chain.origin).or_default() += bytes;
        }
    }

    fn remove(&mut self, chain: &ChainId, revision: Revision) -> Option<ChangeSet> {
        let sets = self.sets.get_mut(chain)?;
        let set = sets.remove(&revision)?;
        if sets.is_empty() {
            self.sets.remove(chain);
        }
        release(&mut self.of_chain, chain, size(&set));
        release(&mut self.of_origin, &chain.origin, size(&set));
        Some(set)
    }
}

fn size(set: &ChangeSet) -> usize {
    set.payload.len() + ENVELOPE
}

fn release<K: Eq + std::hash::Hash>(used: &mut HashMap<K, usize>, key: &K, bytes: usize) {
    if let Some(all) = used.get_mut(key) {
        *all = all.saturating_sub(bytes);
        if *all == 0 {
            used.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use writ_contract::Stream;

    use super::*;
    use crate::testing::*;

    #[test]
    fn a_chain_and_a_region_have_a_limit_of_their_own() {
        let (mut staged, mut steps) = (Staged::default(), Vec::new());
        let chain = |number: u32| chain(organization(number), HOME, Stream::Entities);
        let sealed = AllAuthorizations::default().seal(&chain(1), Vec::new());
        let set = |revision: i64, bytes: usize| ChangeSet {
            revision: Revision::first_epoch(revision),
            payload: vec![0; bytes],
            ..sealed.clone()
        };
        let half = MOST_OF_CHAIN / 2;
        for revision in 2..4 {
            let set = set(revision, half - ENVELOPE);
            assert!(staged.has_room(&chain(1), &set));
            staged.put(chain(1), set, &mut steps);
        }
        assert!(!staged.has_room(&chain(1), &set(4, 1)) && staged.has_room(&chain(2), &set(4, 1)));
        for number in 2..5 {
            staged.put(chain(number), set(2, MOST_OF_CHAIN - ENVELOPE), &mut steps);
        }
        assert!(!staged.has_room(&chain(9), &set(2, 1)), "the region has no more room");
        assert!(staged.take(&chain(1), Revision::first_epoch(3), &mut steps).is_some());
        assert!(staged.has_room(&chain(1), &set(4, half)) && staged.has_room(&chain(9), &set(2, 1)));
        staged.take_back(steps);
        assert_eq!(staged, Staged::default());
    }
}
