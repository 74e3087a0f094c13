//! Roles by the names clients use, and what the catalogue calls them.

use deserr::Deserr;
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use writ_contract::catalogue::Catalogue;
use writ_contract::row::{Grant, Validity};
use writ_contract::{EntityId, GrantId, PrincipalId, Region, RoleKey};
use writ_service::Faults;

use super::Result;
use crate::domain::Violation;
use crate::domain::assignment::IDENTITY;
use crate::domain::text::{EntityScope, Term, Text};
use crate::error::IdentityError;

/// Every entity, or every region.
pub(super) const ALL: &str = "*";
/// Name of the schema of `entity_region`, which depends on the platform's regions.
pub(super) const ENTITY_REGION: &str = "EntityRegion";

/// A role to assign.
#[derive(Debug, Clone, Deserr)]
#[deserr(error = Faults)]
pub(super) struct AssignRole {
    /// Such as `Viewer`.
    role_name: Text,
    /// Id of an entity, or `*`.
    entity_id: EntityScope,
    /// Such as `Control Planes`.
    entity_type_name: Text,
    /// Code of a region, or `*`.
    entity_region: Text,
}

impl AssignRole {
    /// The grant that gives the role to `principal`.
    pub(super) fn grant(&self, principal: PrincipalId, regions: &[Region]) -> Result<Grant> {
        let refuse = |field, reason: &'static str| Err(IdentityError::invalid(field, Violation::of("enum", reason)));
        let catalogue = Catalogue::compiled_in();
        let assignable =
            |name: &str| catalogue.entity_types.iter().any(|kind| kind.name == name && !kind.roles.is_empty());
        if !assignable(self.entity_type_name.as_str()) {
            return refuse("entity_type_name", "is not an entity type of the catalogue");
        }
        let Some((entity_type, role)) = catalogue.by_names(self.entity_type_name.as_str(), self.role_name.as_str())
        else {
            return refuse("role_name", "is not a role of this entity type");
        };
        let region = unless_all(self.entity_region.as_str(), |code| {
            regions.iter().copied().find(|known| known.as_str() == code)
        });
        let Some(region) = region else { return refuse("entity_region", "is not a region of the platform, nor *") };
        let Some(entity_id) = unless_all(self.entity_id.as_str(), |id| id.parse::<EntityId>().ok()) else {
            return refuse("entity_id", "is not the id of an entity, nor *");
        };
        if entity_type.key == *IDENTITY && entity_id.is_some() {
            return refuse("entity_id", "must be * for roles over the organization itself");
        }
        if entity_type.key == *IDENTITY && region.is_some() {
            return refuse("entity_region", "must be * for roles over the organization itself");
        }
        Ok(Grant {
            id: GrantId::generate(),
            principal,
            role: RoleKey::of_catalogue(&entity_type.key, &role.key),
            entity_type: entity_type.key.clone(),
            entity_id,
            region,
            validity: Validity::default(),
            condition: None,
        })
    }
}

/// `Some(None)` for `*`, otherwise what `read` finds.
fn unless_all<T>(scope: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if scope == ALL { Some(None) } else { read(scope).map(Some) }
}

/// For each entity type of the catalogue, its roles.
impl PartialSchema for AssignRole {
    fn schema() -> RefOr<Schema> {
        let kinds = Catalogue::compiled_in().entity_types.iter().filter(|kind| !kind.roles.is_empty());
        let one_of = |names: Vec<String>| ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        let schemas = kinds.map(|kind| {
            let object = ObjectBuilder::new()
                .schema_type(Type::Object)
                .title(Some(&kind.name))
                .property("role_name", one_of(kind.roles.iter().map(|role| role.name.clone()).collect()))
                .property("entity_type_name", one_of(vec![kind.name.clone()]));
            let object = if kind.key == *IDENTITY {
                object
                    .property("entity_id", one_of(vec![ALL.to_owned()]))
                    .property("entity_region", one_of(vec![ALL.to_owned()]))
            } else {
                object
                    .property("entity_id", EntityScope::schema())
                    .property("entity_region", Ref::from_schema_name(ENTITY_REGION))
            };
            ["role_name", "entity_id", "entity_type_name", "entity_region"]
                .into_iter()
                .fold(object, ObjectBuilder::required)
        });
        let example = json!({
            "role_name": "Viewer", "entity_type_name": "Control Planes", "entity_id": ALL, "entity_region": ALL,
        });
        schemas.fold(OneOfBuilder::new(), OneOfBuilder::item).examples([example]).into()
    }
}

impl ToSchema for AssignRole {}

/// A role that a principal holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct AssignedRole {
    /// Id of the assignment.
    id: GrantId,
    /// Such as `Viewer`.
    role_name: String,
    /// Id of an entity, or `*`.
    entity_id: String,
    /// Such as `Control Planes`.
    entity_type_name: String,
    /// Code of a region, or `*`.
    entity_region: String,
}

impl From<&Grant> for AssignedRole {
    fn from(grant: &Grant) -> Self {
        let names = Catalogue::compiled_in().by_key(&grant.role);
        // A role of an earlier catalogue is shown by its keys.
        let by_keys = || (grant.entity_type.to_string(), grant.role.to_string());
        let (entity_type_name, role_name) =
            names.map_or_else(by_keys, |(kind, role)| (kind.name.clone(), role.name.clone()));
        let entity_id = grant.entity_id.as_ref().map_or(ALL, EntityId::as_str).to_owned();
        let entity_region = grant.region.as_ref().map_or(ALL, Region::as_str).to_owned();
        Self { id: grant.id, role_name, entity_id, entity_type_name, entity_region }
    }
}

/// Which assigned roles to list.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RoleQuery {
    /// Roles of this name.
    #[deserr(rename = "filter[role_name][eq]", default)]
    #[param(rename = "filter[role_name][eq]", nullable = false)]
    role_name: Option<Term>,
    /// Roles of this entity type.
    #[deserr(rename = "filter[entity_type_name][eq]", default)]
    #[param(rename = "filter[entity_type_name][eq]", nullable = false)]
    entity_type_name: Option<Term>,
    /// Roles on this entity.
    #[deserr(rename = "filter[entity_id][eq]", default)]
    #[param(rename = "filter[entity_id][eq]", nullable = false)]
    entity_id: Option<Term>,
}

impl RoleQuery {
    /// Whether an assigned role is to be listed.
    pub(super) fn admits(&self, role: &AssignedRole) -> bool {
        let same = |wanted: &Option<Term>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted.as_str() == value);
        same(&self.role_name, &role.role_name)
            && same(&self.entity_type_name, &role.entity_type_name)
            && same(&self.entity_id, &role.entity_id)
    }
}

#[cfg(test)]
mod tests;
