//! How all chains stand, for operators: ids, places and digests, nothing of what they hold.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use writ_contract::policy_change::ChainState;
use writ_contract::{ChainId, Hash, Region, Revision};

use crate::halt::Halt;
use crate::index::Index;
use crate::state::Standing;

/// Most halted chains that an overview lists.
const MOST_HALTED: usize = 100;

/// All chains in a few numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Number of chains in each state.
    pub states: BTreeMap<&'static str, u64>,
    /// Number of halted chains, by reason.
    pub halts: BTreeMap<&'static str, u64>,
    /// Number of chains of each origin.
    pub origins: BTreeMap<Region, u64>,
    /// Some of the halted chains.
    pub halted: Vec<ChainStatus>,
}

/// One chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainStatus {
    /// Which.
    #[serde(flatten)]
    pub chain: ChainId,
    /// Of the last change set applied; in JSON the two fields `epoch` and `revision`.
    #[serde(flatten, serialize_with = "as_fields")]
    pub revision: Revision,
    /// Its digest.
    pub digest: Hash,
    /// Digest of the rows after it.
    pub state_digest: Hash,
    /// Whether the chain moves on.
    pub state: &'static str,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt: Option<&'static str>,
    /// The highest that arrived, applied or not; in JSON `epoch.number`.
    #[serde(serialize_with = "as_text")]
    pub seen: Revision,
}

impl Index {
    /// All chains in a few numbers. Looks at every chain.
    pub fn overview(&self) -> Overview {
        let states = ChainState::ALL.iter().map(|state| (state.as_str(), 0)).collect();
        let halts = Halt::ALL.into_iter().map(|halt| (halt.as_str(), 0)).collect();
        let mut overview = Overview { states, halts, origins: BTreeMap::new(), halted: Vec::new() };
        for standing in self.heads() {
            *overview.states.entry(standing.head.state.as_str()).or_default() += 1;
            *overview.origins.entry(standing.head.chain.origin).or_default() += 1;
            if let Some(halt) = standing.halt {
                overview.add_halted(standing, halt);
            }
        }
        overview
    }

    /// Every chain, in order.
    pub fn chain_statuses(&self) -> Vec<ChainStatus> {
        let mut statuses: Vec<_> = self.heads().map(ChainStatus::of).collect();
        statuses.sort_by_key(|status| status.chain);
        statuses
    }
}

impl Overview {
    fn add_halted(&mut self, standing: &Standing, halt: Halt) {
        *self.halts.entry(halt.as_str()).or_default() += 1;
        if self.halted.len() < MOST_HALTED {
            self.halted.push(ChainStatus::of(standing));
        }
    }
}

impl ChainStatus {
    fn of(standing: &Standing) -> Self {
        let head = &standing.head;
        Self {
            chain: head.chain,
            revision: head.revision,
            digest: head.digest,
            state_digest: head.state_digest,
            state: head.state.as_str(),
            halt: standing.halt.map(|halt| halt.as_str()),
            seen: standing.seen,
        }
    }
}

fn as_fields<S: Serializer>(revision: &Revision, serializer: S) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_map(Some(2))?;
    fields.serialize_entry("epoch", &revision.epoch)?;
    fields.serialize_entry("revision", &revision.number)?;
    fields.end()
}

fn as_text<S: Serializer>(revision: &Revision, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(revision)
}

#[cfg(test)]
mod tests {
    use writ_contract::{PLATFORM_ORGANIZATION, Stream};

    use super::*;

    #[test]
    fn chains_are_counted_and_those_that_stand_still_are_named() {
        let mut index = Index::new();
        let chain = |origin: &str| ChainId {
            organization: PLATFORM_ORGANIZATION,
            origin: origin.parse().unwrap(),
            stream: Stream::Entities,
        };
        index.halt(&chain("us"), Halt::Gap, None);
        index.halt(&chain("eu"), Halt::Unreadable, None);
        let overview = index.overview();
        let states = BTreeMap::from([("live", 0), ("stopped", 1), ("parked", 1), ("closed", 0)]);
        assert_eq!(overview.states, states);
        assert_eq!(overview.origins, BTreeMap::from(["us", "eu"].map(|code| (code.parse().unwrap(), 1))));
        let halts: Vec<_> = overview.halts.iter().filter(|(_, count)| **count > 0).collect();
        assert_eq!(halts, [(&"gap", &1), (&"unreadable", &1)]);
        assert_eq!(overview.halted.len(), 2);
        let statuses = index.chain_statuses();
        let json = serde_json::to_value(&statuses[0]).unwrap();
        assert_eq!((&json["epoch"], &json["revision"], &json["seen"]), (&1.into(), &0.into(), &"1.0".into()));
        assert_eq!((statuses[0].chain.origin.as_str(), statuses[0].halt), ("eu", Some("unreadable")));
        assert_eq!((statuses[1].chain.origin.as_str(), statuses[1].seen), ("us", Revision::START));
    }
}
