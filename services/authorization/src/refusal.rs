//! Why an event that can be read is refused.

use std::fmt;

use writ_contract::EntityType;
use writ_contract::catalogue::Catalogue;
use writ_policy::Refusal;

/// Names less alike than this are not suggested.
const ALIKE: f64 = 0.7;

/// Why an event that its producer may announce is refused. Displays as its name and, where that helps, what would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventRefusal {
    /// The producer may not speak for entities of this type.
    EntityTypeNotAllowed,
    /// The catalogue has no such type.
    UnknownEntityType {
        /// One that has a similar name.
        nearest: Option<&'static EntityType>,
    },
    /// The producer has used the event's id for another event of the organization.
    CeIdReused,
    /// The organization has as many entities in this region as it may have.
    TooManyEntities,
    /// It does not follow from what was announced before.
    Entity(Refusal),
}

impl EventRefusal {
    /// Refuses a type that the catalogue does not have.
    ///
    /// # Errors
    /// [`EventRefusal::UnknownEntityType`] then.
    pub fn of_type(entity_type: &EntityType) -> Result<(), Self> {
        let known = || Catalogue::compiled_in().entity_types.iter().map(|known| &known.key);
        if known().any(|known| known == entity_type) {
            return Ok(());
        }
        let alike = |known: &EntityType| strsim::jaro_winkler(known.as_str(), entity_type.as_str());
        let nearest = known().max_by(|one, other| alike(one).total_cmp(&alike(other)));
        Err(Self::UnknownEntityType { nearest: nearest.filter(|nearest| alike(nearest) >= ALIKE) })
    }

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EntityTypeNotAllowed => "entity_type_not_allowed",
            Self::UnknownEntityType { .. } => Refusal::InvalidEntityType.as_str(),
            Self::CeIdReused => "ce_id_reused",
            Self::TooManyEntities => "too_many_entities",
            Self::Entity(refusal) => refusal.as_str(),
        }
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let own = [Self::EntityTypeNotAllowed, Self::CeIdReused, Self::TooManyEntities];
        own.into_iter().chain(Refusal::ALL.map(Self::Entity)).map(Self::as_str)
    }
}

impl fmt::Display for EventRefusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())?;
        match self {
            Self::UnknownEntityType { nearest: Some(nearest) } => {
                write!(out, ": the catalogue does not have it; the most similar type is {nearest}")
            }
            Self::UnknownEntityType { nearest: None } => out.write_str(": the catalogue does not have it"),
            _ => Ok(()),
        }
    }
}

impl From<Refusal> for EventRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Entity(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_type_is_refused_with_the_most_similar_one() {
        let refused = |name: &str| EventRefusal::of_type(&name.parse().unwrap()).map_err(|error| error.to_string());
        assert_eq!(refused("control_planes"), Ok(()));
        let text = "invalid_entity_type: the catalogue does not have it; the most similar type is control_planes";
        assert_eq!(refused("control_plane"), Err(text.to_owned()));
        assert_eq!(refused("zzz"), Err("invalid_entity_type: the catalogue does not have it".to_owned()));
    }
}
