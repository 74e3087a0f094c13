//! Why an event that can be read is refused.

use writ_policy::Refusal;

/// Why an event that its producer may announce is refused. It is answered with an empty change set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventRefusal {
    /// The producer may not speak for entities of this type.
    EntityTypeNotAllowed,
    /// The producer has used the event's id for another event of the organization.
    CeIdReused,
    /// It does not follow from what was announced before.
    Entity(Refusal),
}

impl EventRefusal {
    /// Its name on the log and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EntityTypeNotAllowed => "entity_type_not_allowed",
            Self::CeIdReused => "ce_id_reused",
            Self::Entity(refusal) => refusal.as_str(),
        }
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let own = [Self::EntityTypeNotAllowed, Self::CeIdReused];
        own.into_iter().chain(Refusal::ALL.map(Self::Entity)).map(Self::as_str)
    }
}

impl From<Refusal> for EventRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Entity(refusal)
    }
}
