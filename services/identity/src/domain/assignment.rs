//! Roles that principals hold.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;
use writ_contract::Region;
use writ_contract::catalogue::Catalogue;

use super::fields::Fields;
use super::query::Query;
use super::{Invalid, text};

/// Every entity, or every region.
const ALL: &str = "*";
/// The role that administrators hold.
pub const ADMINISTRATOR: &str = "identity.admin";
/// The entity type of roles over the organization itself, which is global.
pub const IDENTITY: &str = "identity";

/// What a principal may be: the catalogue's key of a role, and where it counts.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Grant {
    /// Key of the role, `<entity type>.<role>`.
    pub role: String,
    /// Key of the entity type.
    pub entity_type: String,
    /// None: every entity.
    pub entity_id: Option<String>,
    /// None: every region.
    pub region: Option<String>,
}

impl Grant {
    /// What an organization's administrators hold.
    pub fn administrator() -> Self {
        Self { role: ADMINISTRATOR.to_owned(), entity_type: IDENTITY.to_owned(), entity_id: None, region: None }
    }
}

/// A role to assign, as clients name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AssignRole {
    /// Such as `Viewer`.
    pub role_name: String,
    /// Id of an entity, or `*`.
    pub entity_id: String,
    /// Such as `Control Planes`.
    pub entity_type_name: String,
    /// Code of a region, or `*`.
    pub entity_region: String,
}

/// A role that a principal holds, as clients name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AssignedRole {
    /// Id of the assignment.
    pub id: Uuid,
    /// What is assigned.
    #[serde(flatten)]
    pub role: AssignRole,
}

impl AssignRole {
    /// Reads a request's body and finds what it names.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value, regions: &[Region]) -> Result<(Self, Grant), Invalid> {
        let mut fields = Fields::of(body)?;
        let request = Self {
            role_name: fields.required_text("role_name", text::name),
            entity_id: fields.required_text("entity_id", text::entity_id),
            entity_type_name: fields.required_text("entity_type_name", text::name),
            entity_region: fields.required_text("entity_region", text::name),
        };
        fields.finish(())?;
        let grant = request.resolve(regions)?;
        Ok((request, grant))
    }

    fn resolve(&self, regions: &[Region]) -> Result<Grant, Invalid> {
        let refuse = |field, reason: &'static str| Err(Invalid::one(super::Source::Body, field, reason, "enum"));
        let catalogue = Catalogue::compiled_in();
        if !catalogue.entity_types.iter().any(|known| known.name == self.entity_type_name && !known.roles.is_empty()) {
            return refuse("entity_type_name", "is not an entity type of the catalogue");
        }
        let Some((entity_type, role)) = catalogue.by_names(&self.entity_type_name, &self.role_name) else {
            return refuse("role_name", "is not a role of this entity type");
        };
        if self.entity_region != ALL && !regions.iter().any(|region| region.as_str() == self.entity_region) {
            return refuse("entity_region", "is not a region of the platform, nor *");
        }
        if entity_type.key == IDENTITY && self.entity_id != ALL {
            return refuse("entity_id", "must be * for roles over the organization itself");
        }
        if entity_type.key == IDENTITY && self.entity_region != ALL {
            return refuse("entity_region", "must be * for roles over the organization itself");
        }
        Ok(Grant {
            role: format!("{}.{}", entity_type.key, role.key),
            entity_type: entity_type.key.clone(),
            entity_id: unless_all(&self.entity_id),
            region: unless_all(&self.entity_region),
        })
    }

    /// A grant as clients name it.
    pub fn show(grant: Grant) -> Self {
        let names =
            Catalogue::compiled_in().by_key(&grant.role).map(|(kind, role)| (kind.name.clone(), role.name.clone()));
        // A role of an earlier catalogue is shown by its keys.
        let (entity_type_name, role_name) = names.unwrap_or((grant.entity_type, grant.role));
        let or_all = |scope: Option<String>| scope.unwrap_or_else(|| ALL.to_owned());
        Self { role_name, entity_id: or_all(grant.entity_id), entity_type_name, entity_region: or_all(grant.region) }
    }
}

fn unless_all(scope: &str) -> Option<String> {
    (scope != ALL).then(|| scope.to_owned())
}

/// Conditions on a list of assigned roles, in the names clients use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssignmentFilter {
    /// This role.
    pub role_name: Option<String>,
    /// Roles of this entity type.
    pub entity_type_name: Option<String>,
    /// Roles on this entity.
    pub entity_id: Option<String>,
}

impl AssignmentFilter {
    /// Reads the filters of a query string.
    pub fn read(query: &mut Query) -> Self {
        Self {
            role_name: query.equals("role_name"),
            entity_type_name: query.equals("entity_type_name"),
            entity_id: query.equals("entity_id"),
        }
    }

    /// Whether an assigned role is asked for.
    pub fn admits(&self, role: &AssignRole) -> bool {
        let same = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        same(&self.role_name, &role.role_name)
            && same(&self.entity_type_name, &role.entity_type_name)
            && same(&self.entity_id, &role.entity_id)
    }
}

/// An entity type of the list of roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListedEntityType {
    /// Such as `Control Planes`.
    pub name: String,
    /// By key.
    pub roles: BTreeMap<String, ListedRole>,
}

/// A role of the list of roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListedRole {
    /// Such as `Viewer`.
    pub name: String,
    /// One sentence.
    pub description: String,
}

/// All roles that can be assigned, by the key of their entity type.
pub fn listed_roles() -> BTreeMap<String, ListedEntityType> {
    let types = Catalogue::compiled_in().entity_types.iter().filter(|known| !known.roles.is_empty());
    types
        .map(|known| {
            let roles = known.roles.iter().map(|role| {
                (role.key.clone(), ListedRole { name: role.name.clone(), description: role.description.clone() })
            });
            (known.key.clone(), ListedEntityType { name: listed_name(&known.name), roles: roles.collect() })
        })
        .collect()
}

/// Konnect's list of roles, unlike its role assignments, has this one name in the singular.
fn listed_name(name: &str) -> String {
    if name == "Mesh Control Planes" { "Mesh Control Plane".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn regions() -> [Region; 2] {
        ["us", "eu"].map(|code| code.parse().unwrap())
    }

    fn body(role: &str, kind: &str, id: &str, region: &str) -> Value {
        json!({"role_name": role, "entity_type_name": kind, "entity_id": id, "entity_region": region})
    }

    #[test]
    fn names_become_keys_and_names_again() {
        let asked = body("Gateway Service Admin", "Control Planes", "*", "eu");
        let (request, grant) = AssignRole::read(&asked, &regions()).unwrap();
        let expected = Grant {
            role: "control_planes.gateway_service_admin".into(),
            entity_type: "control_planes".into(),
            entity_id: None,
            region: Some("eu".into()),
        };
        assert_eq!(grant, expected);
        assert_eq!(AssignRole::show(grant), request);
    }

    #[test]
    fn every_role_of_the_catalogue_can_be_assigned() {
        for kind in &Catalogue::compiled_in().entity_types {
            for role in &kind.roles {
                let (request, grant) = AssignRole::read(&body(&role.name, &kind.name, "*", "*"), &regions()).unwrap();
                assert_eq!(AssignRole::show(grant), request);
            }
        }
    }

    #[test]
    fn the_wrong_field_is_named() {
        for (asked, field) in [
            (body("Viewer", "Submarines", "*", "*"), "entity_type_name"),
            (body("Viewer", "Routes", "*", "*"), "entity_type_name"),
            (body("Captain", "Control Planes", "*", "*"), "role_name"),
            (body("Viewer", "Control Planes", "a b", "*"), "entity_id"),
            (body("Viewer", "Control Planes", "*", "mars"), "entity_region"),
            (body("Admin", "Identity", "*", "eu"), "entity_region"),
            (body("Admin", "Identity", "x", "*"), "entity_id"),
            (json!({"entity_type_name": "Control Planes", "entity_id": "*", "entity_region": "eu"}), "role_name"),
        ] {
            assert_eq!(AssignRole::read(&asked, &regions()).unwrap_err().0[0].field, field);
        }
    }

    #[test]
    fn the_list_is_konnects() {
        let listed = listed_roles();
        let keys: Vec<&str> = listed.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "api_products",
                "audit_logs",
                "control_planes",
                "dashboards",
                "identity",
                "mesh_control_planes",
                "reports"
            ]
        );
        assert_eq!(listed["mesh_control_planes"].name, "Mesh Control Plane");
        assert_eq!(listed["control_planes"].roles["sni_admin"].name, "SNI Admin");
        assert_eq!(listed["control_planes"].roles.len(), 12);
    }
}
