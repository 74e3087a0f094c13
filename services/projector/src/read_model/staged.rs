//! Change sets that came before the ones missing below them.

use std::collections::{BTreeMap, HashMap};

use writ_contract::ChainId;
use writ_contract::policy_change::ChangeSet;
use writ_policy::Position;

/// Change sets above a gap, by chain and place. All of them are in PostgreSQL, too.
#[derive(Debug, Default)]
pub(super) struct Staged(HashMap<ChainId, BTreeMap<Position, ChangeSet>>);

impl Staged {
    /// The change sets that were stored, with the regions they come from.
    pub(super) fn load(stored: Vec<(String, ChangeSet)>) -> Self {
        let mut staged = Self::default();
        stored.into_iter().for_each(|(origin, set)| staged.put(&origin, set));
        staged
    }

    pub(super) fn put(&mut self, origin: &str, set: ChangeSet) {
        let chain = ChainId { organization: set.organization, origin: origin.to_owned(), stream: set.stream };
        let position = Position { epoch: set.epoch, revision: set.revision };
        self.0.entry(chain).or_default().insert(position, set);
    }

    /// Takes the change set at a place, and forgets all below it.
    pub(super) fn take(&mut self, chain: &ChainId, place: Position) -> Option<ChangeSet> {
        let sets = self.0.get_mut(chain)?;
        let above = sets.split_off(&place);
        *sets = above;
        let set = sets.remove(&place);
        if sets.is_empty() {
            self.0.remove(chain);
        }
        set
    }

    /// Chains of which any wait.
    pub(super) fn chains(&self) -> Vec<ChainId> {
        self.0.keys().cloned().collect()
    }

    /// How many change sets wait.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}
