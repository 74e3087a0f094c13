//! `/roles`, and what all assigned roles have in common.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use writ_contract::GrantId;
use writ_contract::catalogue::Catalogue;
use writ_contract::identity_event::Change;

use super::input::Creation;
use super::role_names::{AssignRole, AssignedRole, RoleQuery};
use super::{Caller, EmptyReply, Paginated, Reply, Result};
use crate::app::App;
use crate::domain::assignment::ADMINISTRATOR;
use crate::store::administrators;
use crate::store::assignments::{self, Assignee};
use crate::store::callers::Right;

/// An entity type of the catalogue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ListedEntityType {
    /// Such as `Control Planes`.
    name: String,
    /// By key.
    roles: BTreeMap<String, ListedRole>,
}

/// A role of the catalogue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ListedRole {
    /// Such as `Viewer`.
    name: String,
    /// One sentence.
    description: String,
}

/// Lists the roles of the catalogue by the key of their entity type.
#[utoipa::path(get, path = "/roles", operation_id = "list_roles", tag = "Roles",
    responses((status = 200, body = BTreeMap<String, ListedEntityType>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Reply<BTreeMap<String, ListedEntityType>>> {
    app.show(caller.organization, catalogue()).await
}

fn catalogue() -> BTreeMap<String, ListedEntityType> {
    let kinds = Catalogue::compiled_in().entity_types.iter().filter(|kind| !kind.roles.is_empty());
    kinds
        .map(|kind| {
            let roles = kind.roles.iter().map(|role| {
                (role.key.to_string(), ListedRole { name: role.name.clone(), description: role.description.clone() })
            });
            (kind.key.to_string(), ListedEntityType { name: listed_name(&kind.name), roles: roles.collect() })
        })
        .collect()
}

/// Konnect's list of roles, unlike its role assignments, has this one name in the singular.
fn listed_name(name: &str) -> String {
    if name == "Mesh Control Planes" { "Mesh Control Plane".to_owned() } else { name.to_owned() }
}

/// Lists the roles of a principal.
pub(super) async fn list_assigned(
    app: &App,
    caller: &Caller,
    assignee: Assignee,
    query: &RoleQuery,
) -> Result<Reply<Paginated<AssignedRole>>> {
    let grants = app.store.grants(caller.organization, assignee).await?;
    let roles = grants.iter().map(AssignedRole::from);
    let roles = roles.filter(|role| query.admits(role)).collect();
    app.show(caller.organization, Paginated::whole(roles)).await
}

/// Shows a role of a principal.
pub(super) async fn get_assigned(
    app: &App,
    caller: &Caller,
    assignee: Assignee,
    id: GrantId,
) -> Result<Reply<AssignedRole>> {
    let grant = app.store.grant(caller.organization, assignee, id).await?;
    app.show(caller.organization, AssignedRole::from(&grant)).await
}

/// Assigns a role to a principal.
pub(super) async fn assign(
    app: &App,
    admin: &Caller,
    assignee: Assignee,
    Creation { body: role, key }: Creation<AssignRole>,
) -> Result<Reply<AssignedRole>> {
    let grant = role.grant(assignee.id, &app.platform.regions)?;
    let mut revision = app.store.revision(&admin.creating(app, key), Right::Administer).await?;
    assignments::insert(&mut revision, assignee, &grant).await?;
    let shown = AssignedRole::from(&grant);
    app.create(revision, admin.user, vec![Change::RoleAssigned(grant)], shown).await
}

/// Removes a role from a principal.
pub(super) async fn unassign(app: &App, admin: &Caller, assignee: Assignee, id: GrantId) -> Result<EmptyReply> {
    let mut revision = app.store.revision(&admin.bearer, Right::Administer).await?;
    let role = assignments::delete(&mut revision, assignee, id).await?;
    if role == *ADMINISTRATOR {
        administrators::must_remain(&mut revision).await?;
    }
    let seen = revision.commit(vec![Change::RoleUnassigned { grant: id }]).await?;
    Ok(app.no_content(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_konnects() {
        let listed = catalogue();
        let keys: Vec<&str> = listed.keys().map(String::as_str).collect();
        let expected = [
            "api_products",
            "audit_logs",
            "control_planes",
            "dashboards",
            "identity",
            "mesh_control_planes",
            "reports",
        ];
        assert_eq!(keys, expected);
        assert_eq!(listed["mesh_control_planes"].name, "Mesh Control Plane");
        assert_eq!(listed["control_planes"].roles["sni_admin"].name, "SNI Admin");
        assert_eq!(listed["control_planes"].roles.len(), 12);
    }
}
