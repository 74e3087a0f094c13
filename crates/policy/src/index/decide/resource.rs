//! What a query asks about: a type as a whole, or an entity in one region.

use writ_contract::row::{EntityKey, Grant, Role};
use writ_contract::{Region, TeamId};

use super::{Match, Query, Reason, WHOLE_TYPE};
use crate::rows::Announced;
use crate::state::Chain;

/// A type as a whole, or an entity in one of the regions that announced it.
pub(super) enum Resource<'a> {
    WholeType { entity_type: &'a str, region: Option<Region> },
    Entity { chain: &'a Chain, key: EntityKey },
}

impl<'a> Resource<'a> {
    /// What a grant must reach: everything in the list.
    pub(super) fn find(query: &Query<'a>, chains: &'a [Chain]) -> Result<Vec<Self>, Reason> {
        if query.resource_id == WHOLE_TYPE {
            return Ok(vec![Self::WholeType { entity_type: query.resource_type, region: query.region }]);
        }
        // What cannot be the name of an entity is an unknown one.
        let (Ok(entity_type), Ok(entity_id)) = (query.resource_type.parse(), query.resource_id.parse()) else {
            return Err(Reason::UnknownEntity);
        };
        let key = EntityKey { entity_type, entity_id };
        let is_alive = |chain: &&Chain| matches!(chain.rows().entity(&key), Some(Announced::Live { .. }));
        if chains.iter().filter(is_alive).any(Chain::is_halted) {
            return Err(Reason::ViewIncomplete);
        }
        let found: Vec<_> =
            chains.iter().filter(is_alive).map(|chain| Self::Entity { chain, key: key.clone() }).collect();
        match found.is_empty() {
            // It may be one that a halted chain lacks.
            true if chains.iter().any(Chain::is_halted) => Err(Reason::ViewIncomplete),
            true => Err(Reason::UnknownEntity),
            false => Ok(found),
        }
    }

    /// The region a grant's region scope must cover.
    pub(super) fn region(&self) -> Option<Region> {
        match self {
            Self::WholeType { region, .. } => *region,
            Self::Entity { chain, .. } => Some(chain.id().origin),
        }
    }

    /// Whether the grant's entity is the resource, or an ancestor from which the role reaches it.
    pub(super) fn lies_under(&self, grant: &Grant, role: &Role) -> bool {
        match self {
            Self::WholeType { entity_type, .. } => grant.entity_type == *entity_type && grant.entity_id.is_none(),
            Self::Entity { chain, key } => {
                is_on(grant, key)
                    || role.covers_children.contains(&key.entity_type)
                        && chain.rows().ancestors(key).any(|above| is_on(grant, above))
            }
        }
    }

    pub(super) fn matched(&self, grant: &Grant, team: Option<TeamId>) -> Match {
        Match { region: self.region(), grant: grant.id, role: grant.role.clone(), team }
    }
}

fn is_on(grant: &Grant, key: &EntityKey) -> bool {
    grant.entity_type == key.entity_type && grant.entity_id.as_ref().is_none_or(|id| *id == key.entity_id)
}
