//! `/roles`

use std::collections::BTreeMap;

use axum::extract::State;

use super::{Answer, Caller, Result};
use crate::app::App;
use crate::domain::assignment::{ListedEntityType, listed_roles};

/// Lists the roles of the catalogue.
#[utoipa::path(get, path = "/roles", operation_id = "list_roles", tag = "Roles", responses((status = 200, body = BTreeMap<String, ListedEntityType>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Answer<BTreeMap<String, ListedEntityType>>> {
    app.read(caller.organization, listed_roles()).await
}
