//! The chains of one organization.

use writ_contract::{ChainId, Region, Stream};

use crate::state::Chain;

/// The chains of one organization, each kind in the order of their origins. There are few.
#[derive(Debug, Default)]
pub(super) struct Chains {
    identity: Vec<Chain>,
    entities: Vec<Chain>,
}

impl Chains {
    /// The identity chain; one of them, for the platform's organization.
    pub(super) fn identity(&self) -> Option<&Chain> {
        self.identity.first()
    }

    /// The entities chains of all regions.
    pub(super) fn entities(&self) -> &[Chain] {
        &self.entities
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.identity.iter().chain(&self.entities)
    }

    pub(super) fn find(&self, origin: Region, stream: Stream) -> Option<&Chain> {
        let chains = match stream {
            Stream::Identity => &self.identity,
            Stream::Entities => &self.entities,
        };
        chains.iter().find(|chain| chain.id().origin == origin)
    }

    pub(super) fn find_or_insert(&mut self, id: &ChainId) -> &mut Chain {
        let chains = self.of_stream(id.stream);
        let place = match search(chains, id.origin) {
            Ok(place) => place,
            Err(place) => {
                chains.insert(place, Chain::new(*id));
                place
            }
        };
        &mut chains[place]
    }

    pub(super) fn insert(&mut self, chain: Chain) {
        let id = chain.id();
        *self.find_or_insert(&id) = chain;
    }

    pub(super) fn remove(&mut self, id: &ChainId) -> Option<Chain> {
        let chains = self.of_stream(id.stream);
        search(chains, id.origin).ok().map(|place| chains.remove(place))
    }

    fn of_stream(&mut self, stream: Stream) -> &mut Vec<Chain> {
        match stream {
            Stream::Identity => &mut self.identity,
            Stream::Entities => &mut self.entities,
        }
    }
}

fn search(chains: &[Chain], origin: Region) -> Result<usize, usize> {
    chains.binary_search_by(|chain| chain.id().origin.cmp(&origin))
}
