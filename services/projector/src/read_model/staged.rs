//! Change sets that arrived before the ones below them.

use std::collections::{BTreeMap, HashMap};

use writ_contract::policy_change::ChangeSet;
use writ_contract::{ChainId, OrganizationId, Region, Revision};

/// Change sets above a gap, by chain and revision. All of them are in PostgreSQL, too.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Staged(HashMap<ChainId, BTreeMap<Revision, ChangeSet>>);

impl Staged {
    /// The stored change sets, with the regions they come from.
    pub(super) fn load(stored: Vec<(Region, ChangeSet)>) -> Self {
        let mut staged = Self::default();
        stored.into_iter().for_each(|(origin, set)| staged.put(origin, set));
        staged
    }

    pub(super) fn put(&mut self, origin: Region, set: ChangeSet) {
        let chain = ChainId { organization: set.organization, origin, stream: set.stream };
        self.0.entry(chain).or_default().insert(set.revision, set);
    }

    /// Takes the change set at a revision, and forgets all below it.
    pub(super) fn take(&mut self, chain: &ChainId, revision: Revision) -> Option<ChangeSet> {
        let sets = self.0.get_mut(chain)?;
        let above = sets.split_off(&revision);
        *sets = above;
        let set = sets.remove(&revision);
        if sets.is_empty() {
            self.0.remove(chain);
        }
        set
    }

    /// Whether there is a change set at the revision of this one.
    pub(super) fn contains(&self, chain: &ChainId, revision: Revision) -> bool {
        self.0.get(chain).is_some_and(|sets| sets.contains_key(&revision))
    }

    /// Removes the change set at the revision of this one.
    pub(super) fn remove(&mut self, origin: Region, set: &ChangeSet) {
        let chain = ChainId { organization: set.organization, origin, stream: set.stream };
        let Some(sets) = self.0.get_mut(&chain) else { return };
        sets.remove(&set.revision);
        if sets.is_empty() {
            self.0.remove(&chain);
        }
    }

    /// The chains of an organization that have staged change sets.
    pub(super) fn chains_of(&self, organization: OrganizationId) -> Vec<ChainId> {
        self.0.keys().filter(|chain| chain.organization == organization).copied().collect()
    }

    /// Number of staged change sets.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}
