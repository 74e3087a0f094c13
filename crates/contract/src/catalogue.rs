//! The platform's catalogue of entity types, actions and roles (`schemas/catalogue.json`).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::row::Role;
use crate::{Action, EntityType, RoleKey};

/// Every entity type and its roles.
#[derive(Debug, Clone, Deserialize)]
pub struct Catalogue {
    /// In the order of the file.
    pub entity_types: Vec<CatalogueEntityType>,
}

/// A type of regional entity.
#[derive(Debug, Clone, Deserialize)]
pub struct CatalogueEntityType {
    /// The name in records and decisions, such as `control_planes`.
    pub key: EntityType,
    /// The name in the management API, such as `Control Planes`.
    pub name: String,
    /// What can be done to such an entity.
    pub actions: BTreeSet<Action>,
    /// The roles for it.
    pub roles: Vec<CatalogueRole>,
}

/// A role for one entity type.
#[derive(Debug, Clone, Deserialize)]
pub struct CatalogueRole {
    /// Unique in its entity type, such as `viewer`.
    pub key: EntityType,
    /// The name in the management API, such as `Viewer`.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// A subset of the entity type's actions.
    pub actions: BTreeSet<Action>,
    /// Entity types of descendants that the role reaches.
    #[serde(default)]
    pub covers_children: BTreeSet<EntityType>,
}

static COMPILED_IN: LazyLock<Catalogue> = LazyLock::new(|| parse(include_str!("../../../schemas/catalogue.json")));

#[expect(clippy::expect_used, reason = "the file is parsed in a test")]
fn parse(text: &str) -> Catalogue {
    serde_json::from_str(text).expect("the compiled-in catalogue is valid")
}

impl Catalogue {
    /// The catalogue of this build.
    pub fn compiled_in() -> &'static Self {
        &COMPILED_IN
    }

    /// A role by the names the management API shows.
    pub fn by_names(&self, entity_type: &str, role: &str) -> Option<(&CatalogueEntityType, &CatalogueRole)> {
        let entity_type = self.entity_types.iter().find(|known| known.name == entity_type)?;
        entity_type.roles.iter().find(|known| known.name == role).map(|role| (entity_type, role))
    }

    /// A role by its full key, `<entity type>.<role>`.
    pub fn by_key(&self, key: &RoleKey) -> Option<(&CatalogueEntityType, &CatalogueRole)> {
        let (entity_type, role) = key.as_str().split_once('.')?;
        let entity_type = self.entity_types.iter().find(|known| known.key == entity_type)?;
        entity_type.roles.iter().find(|known| known.key == role).map(|role| (entity_type, role))
    }

    /// All roles as the catalogue's event carries them.
    pub fn roles(&self) -> Vec<Role> {
        self.entity_types.iter().flat_map(CatalogueEntityType::policy_roles).collect()
    }
}

impl CatalogueEntityType {
    fn policy_roles(&self) -> impl Iterator<Item = Role> {
        self.roles.iter().map(|role| Role {
            key: RoleKey::of_catalogue(&self.key, &role.key),
            entity_type: self.key.clone(),
            actions: role.actions.clone(),
            covers_children: role.covers_children.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn roles_are_unique_and_allow_only_actions_of_their_entity_type() {
        let catalogue = Catalogue::compiled_in();
        let roles = catalogue.roles();
        let keys: HashSet<_> = roles.iter().map(|role| &role.key).collect();
        assert_eq!(keys.len(), roles.len());
        for role in &roles {
            let (entity_type, _) = catalogue.by_key(&role.key).unwrap();
            assert!(role.actions.iter().all(|action| entity_type.actions.contains(action)), "{}", role.key);
            assert!(!role.actions.is_empty(), "{}", role.key);
        }
    }

    #[test]
    fn konnect_roles_and_the_decision_reader_are_there() {
        let catalogue = Catalogue::compiled_in();
        for (entity_type, role) in
            [("Control Planes", "Viewer"), ("Identity", "Admin"), ("Identity", "Decision Reader")]
        {
            assert!(catalogue.by_names(entity_type, role).is_some(), "{entity_type} {role}");
        }
    }
}
