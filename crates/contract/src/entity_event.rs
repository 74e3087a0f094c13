//! Regional entities, announced by other systems of the region.

use serde::{Deserialize, Serialize};

use crate::names::names;
use crate::record::record;
use crate::{OrganizationId, Timestamp};

names! {
    /// What happened to an entity.
    EntityEventKind {
        /// It exists.
        Created = "created",
        /// It and its descendants are gone; their ids are never used again.
        Deleted = "deleted",
    }
}

/// A regional entity was created or deleted. In JSON the same shape, unknown fields ignored.
///
/// Its texts come from another system and are not checked yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityEvent {
    /// What happened.
    pub kind: EntityEventKind,
    /// Whose entity it is.
    pub organization: OrganizationId,
    /// Key of the catalogue, such as `control_planes`.
    pub entity_type: String,
    /// `[A-Za-z0-9._:-]{1,128}`.
    pub entity_id: String,
    /// Fixed at creation.
    #[serde(default)]
    pub parent_type: Option<String>,
    /// Fixed at creation; exists in the same chain.
    #[serde(default)]
    pub parent_id: Option<String>,
    /// By the producer's clock; informative.
    pub occurred_at: Timestamp,
}
record!(EntityEvent, "EntityEvent", "entity-event.avsc");
