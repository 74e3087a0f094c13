//! State shared by all requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use writ_contract::row::TokenKind;
use writ_contract::{ChainId, Hash, OrganizationId, Region, Stream};
use writ_service::BaseUrl;
use writ_tokens::{BearerToken, ConsistencyKey, ConsistencyToken, SeenRevision};

use crate::lookups::Lookups;
use crate::store::last_uses::LastUses;
use crate::store::{SeenState, Store};

/// State shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The organizations homed here.
    pub store: Store,
    /// The platform this region belongs to.
    pub platform: Arc<Platform>,
    /// Uses of tokens that are to be stored.
    pub last_uses: LastUses,
    /// Turns to look a token up.
    pub lookups: Lookups,
}

/// The platform this region belongs to.
pub struct Platform {
    /// Every region.
    pub regions: Vec<Region>,
    /// Where each region's management API is reached.
    pub homes: BTreeMap<Region, BaseUrl>,
    /// SHA-256 of the platform operator's token.
    pub operator: Hash,
    /// Authenticates consistency tokens.
    pub consistency: ConsistencyKey,
}

impl App {
    /// The app over a store.
    pub fn new(store: Store, platform: Platform) -> Self {
        Self { store, platform: Arc::new(platform), last_uses: LastUses::default(), lookups: Lookups::default() }
    }

    /// The consistency token for a state that a client has seen.
    pub fn consistency_token(&self, seen: SeenState) -> String {
        let SeenState { organization, revision } = seen;
        let chain = ChainId { organization, origin: self.store.region(), stream: Stream::Identity };
        let seen = vec![SeenRevision { chain, revision }];
        self.platform.consistency.issue(&ConsistencyToken { organization, seen })
    }

    /// A new bearer token of an organization homed here.
    pub fn new_token(&self, kind: TokenKind, organization: OrganizationId) -> BearerToken {
        BearerToken::generate(kind, self.store.region(), organization)
    }
}
