//! The roles of any principal; `team_roles` and `user_roles` name whose.

use writ_contract::identity_event::Change;

use super::{Answer, Caller, Empty, Ids, Result};
use crate::app::App;
use crate::domain::assignment::{ADMINISTRATOR, AssignRole, AssignedRole, AssignmentFilter, Grant};
use crate::domain::page::Paginated;
use crate::domain::query::Query;
use crate::store::administrators;
use crate::store::assignments::{self, Assignee};

pub(super) async fn list(
    app: &App,
    caller: &Caller,
    assignee: Assignee,
    mut query: Query,
) -> Result<Answer<Paginated<AssignedRole>>> {
    let filter = AssignmentFilter::read(&mut query);
    let filter = query.finish(filter)?;
    let roles = app.store.assigned_roles(caller.organization, assignee, &filter).await?;
    app.read(caller.organization, Paginated::whole(roles)).await
}

pub(super) async fn get(app: &App, caller: &Caller, assignee: Assignee, ids: &Ids) -> Result<Answer<AssignedRole>> {
    let role = app.store.assigned_role(caller.organization, assignee, ids.id("roleId")?).await?;
    app.read(caller.organization, role).await
}

pub(super) async fn assign(
    app: &App,
    admin: &Caller,
    assignee: Assignee,
    body: &serde_json::Value,
) -> Result<Answer<AssignedRole>> {
    let (role, grant) = AssignRole::read(body, &app.regions)?;
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    let id = assignments::insert(&mut revision, assignee, &grant).await?;
    let seen = revision.commit(vec![assigned(id, assignee, grant)]).await?;
    Ok(app.created(seen, AssignedRole { id, role }))
}

pub(super) async fn unassign(app: &App, admin: &Caller, assignee: Assignee, ids: &Ids) -> Result<Empty> {
    let id = ids.id("roleId")?;
    let mut revision = app.store.revision(admin.organization, admin.author()).await?;
    let role = assignments::delete(&mut revision, assignee, id).await?;
    if role == ADMINISTRATOR {
        administrators::must_remain(&mut revision).await?;
    }
    let seen = revision.commit(vec![Change::RoleUnassigned { assignment: id }]).await?;
    Ok(app.gone(seen))
}

/// How the event tells of an assignment.
pub(super) fn assigned(assignment: uuid::Uuid, assignee: Assignee, grant: Grant) -> Change {
    Change::RoleAssigned {
        assignment,
        principal: assignee.id,
        role: grant.role,
        entity_type: grant.entity_type,
        entity_id: grant.entity_id,
        region: grant.region,
        valid_from: None,
        valid_until: None,
        condition: None,
    }
}
