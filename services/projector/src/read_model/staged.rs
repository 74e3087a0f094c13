//! Change sets that arrived before the ones below them.

use std::collections::{BTreeMap, HashMap};

use writ_contract::policy_change::ChangeSet;
use writ_contract::{ChainId, OrganizationId, Region, Revision};

/// Change sets above a gap, by chain and revision. All of them are in PostgreSQL, too.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Staged(HashMap<ChainId, BTreeMap<Revision, ChangeSet>>);

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

    /// Stages a change set where none is.
    pub(super) fn put(&mut self, chain: ChainId, set: ChangeSet, steps: &mut Vec<Step>) {
        steps.push(Step::Put(chain, set.revision));
        self.insert(chain, set);
    }

    /// Takes the change set at a revision, and forgets all below it.
    pub(super) fn take(&mut self, chain: &ChainId, revision: Revision, steps: &mut Vec<Step>) -> Option<ChangeSet> {
        let sets = self.0.get_mut(chain)?;
        let above = sets.split_off(&revision);
        steps.extend(std::mem::replace(sets, above).into_values().map(|set| Step::Removed(*chain, Box::new(set))));
        let set = sets.get(&revision).cloned();
        if let Some(set) = &set {
            steps.push(Step::Removed(*chain, Box::new(set.clone())));
        }
        self.remove(chain, revision);
        set
    }

    /// As if these steps had not been taken.
    pub(super) fn take_back(&mut self, steps: Vec<Step>) {
        for step in steps.into_iter().rev() {
            match step {
                Step::Put(chain, revision) => self.remove(&chain, revision),
                Step::Removed(chain, set) => self.insert(chain, *set),
            }
        }
    }

    /// Whether there is a change set at the revision of this one.
    pub(super) fn contains(&self, chain: &ChainId, revision: Revision) -> bool {
        self.0.get(chain).is_some_and(|sets| sets.contains_key(&revision))
    }

    /// The chains of an organization that have staged change sets.
    pub(super) fn chains_of(&self, organization: OrganizationId) -> Vec<ChainId> {
        self.0.keys().filter(|chain| chain.organization == organization).copied().collect()
    }

    /// Number of staged change sets.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    fn insert(&mut self, chain: ChainId, set: ChangeSet) {
        self.0.entry(chain).or_default().insert(set.revision, set);
    }

    fn remove(&mut self, chain: &ChainId, revision: Revision) {
        let Some(sets) = self.0.get_mut(chain) else { return };
        sets.remove(&revision);
        if sets.is_empty() {
            self.0.remove(chain);
        }
    }
}
