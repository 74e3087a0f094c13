//! What every request needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;
use writ_contract::{Hash, Region, Stream};
use writ_service::BaseUrl;
use writ_tokens::{BearerToken, ConsistencyKey, ConsistencyToken, Kind, Position};

use crate::store::{Seen, Store};

/// What every request needs. Clones share it.
#[derive(Clone)]
pub struct App {
    /// The organizations homed here.
    pub store: Store,
    /// What identity has to know of the platform.
    pub platform: Arc<Platform>,
}

/// What identity has to know of the platform.
pub struct Platform {
    /// Every region.
    pub regions: Vec<Region>,
    /// Where each region's management API is reached.
    pub homes: BTreeMap<Region, BaseUrl>,
    /// SHA-256 of the platform operator's token.
    pub operator: Hash,
    /// What consistency tokens are authenticated with.
    pub consistency: ConsistencyKey,
}

impl App {
    /// The app over a store.
    pub fn new(store: Store, platform: Platform) -> Self {
        Self { store, platform: Arc::new(platform) }
    }

    /// The consistency token for a state that a client has seen.
    pub fn consistency_token(&self, seen: Seen) -> String {
        let position = Position {
            origin: self.store.region().clone(),
            stream: Stream::Identity,
            epoch: seen.epoch,
            revision: seen.revision,
        };
        self.platform
            .consistency
            .issue(&ConsistencyToken { organization: seen.organization, positions: vec![position] })
    }

    /// A new bearer token of an organization homed here.
    pub fn new_token(&self, kind: Kind, organization: Uuid) -> BearerToken {
        BearerToken::generate(kind, self.store.region().clone(), organization)
    }
}
