//! `/users`

use axum::extract::State;
use deserr::Deserr;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use writ_contract::identity_event::Change;
use writ_contract::{Region, StoredText, UserId};
use writ_service::{Faults, Json, ListQuery, Path};

use super::input::{Flag, PageNumber, PageSize, Patch, page, read_optional_id};
use super::{Administrator, Caller, EmptyReply, Paginated, Reply, Result};
use crate::app::App;
use crate::domain::filter::{TextFilter, UserFilter};
use crate::domain::page::Page;
use crate::domain::text::{Name, Term, Text};
use crate::domain::user::User;
use crate::store::callers::Right;
use crate::store::{administrators, users};

/// A user in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserPath {
    /// The user.
    pub(super) user_id: UserId,
}

/// Which users to list.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UserQuery {
    /// Users a page.
    #[deserr(rename = "page[size]", default)]
    #[param(rename = "page[size]", value_type = Option<PageSize>, inline, nullable = false)]
    size: PageSize,
    /// Which page, from 1.
    #[deserr(rename = "page[number]", default)]
    #[param(rename = "page[number]", value_type = Option<PageNumber>, inline, nullable = false)]
    number: PageNumber,
    /// This user only.
    #[deserr(rename = "filter[id][eq]", default, try_from(String) = read_optional_id -> crate::domain::Violation)]
    #[param(rename = "filter[id][eq]", nullable = false)]
    id: Option<UserId>,
    /// Users with this e-mail address, ignoring case.
    #[deserr(rename = "filter[email][eq]", default)]
    #[param(rename = "filter[email][eq]", nullable = false)]
    email: Option<Term>,
    /// Users whose e-mail address contains this, ignoring case.
    #[deserr(rename = "filter[email][contains]", default)]
    #[param(rename = "filter[email][contains]", nullable = false)]
    email_contains: Option<Term>,
    /// Users with this full name.
    #[deserr(rename = "filter[full_name][eq]", default)]
    #[param(rename = "filter[full_name][eq]", nullable = false)]
    full_name: Option<Term>,
    /// Users whose full name contains this, ignoring case.
    #[deserr(rename = "filter[full_name][contains]", default)]
    #[param(rename = "filter[full_name][contains]", nullable = false)]
    full_name_contains: Option<Term>,
    /// Users who have accepted their invitation, or who have not.
    #[deserr(rename = "filter[active]", default)]
    #[param(rename = "filter[active]", value_type = Option<bool>, nullable = false)]
    active: Option<Flag>,
}

impl UserQuery {
    /// What to list.
    pub(super) fn split(self) -> (UserFilter, Page) {
        let filter = UserFilter {
            id: self.id,
            email: TextFilter { eq: self.email, contains: self.email_contains },
            full_name: TextFilter { eq: self.full_name, contains: self.full_name_contains },
            active: self.active.map(|Flag(active)| active),
        };
        (filter, page(self.size, self.number))
    }
}

/// A person of an organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserResponse {
    /// Never reused once the user is erased.
    pub(super) id: UserId,
    /// Unique in the organization, however it is written: case and composition of letters make no difference.
    email: String,
    /// Absent until the invitation is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    full_name: Option<String>,
    /// How the person wants to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_name: Option<String>,
    /// Whether the invitation has been accepted.
    active: bool,
    /// Where the person seems to live, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    inferred_region: Option<Region>,
    /// When the user was created.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When the user last changed.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<User> for UserResponse {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email.into(),
            full_name: user.full_name.map(String::from),
            preferred_name: user.preferred_name.map(String::from),
            active: user.active,
            inferred_region: user.inferred_region,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A change of a user's names.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct UpdateUser {
    /// The full name.
    #[deserr(default, from(Name) = Some)]
    #[schema(nullable = false)]
    full_name: Option<Name>,
    /// How the person wants to be called; null removes it.
    #[deserr(default)]
    #[schema(value_type = Option<Text>)]
    preferred_name: Patch<Text>,
}

impl UpdateUser {
    /// Applies the change and names the fields that are now different.
    fn apply(self, user: &mut User) -> Vec<StoredText> {
        let mut changed = Vec::new();
        if let Some(name) = self.full_name
            && user.full_name.as_ref() != Some(&name)
        {
            user.full_name = Some(name);
            changed.push(StoredText::lossy("full_name"));
        }
        if let Some(name) = self.preferred_name.change()
            && user.preferred_name != name
        {
            user.preferred_name = name;
            changed.push(StoredText::lossy("preferred_name"));
        }
        changed
    }
}

/// Lists the users.
#[utoipa::path(get, path = "/users", operation_id = "list_users", tag = "Users", params(UserQuery),
    responses((status = 200, body = Paginated<UserResponse>)))]
pub(super) async fn list(
    State(app): State<App>,
    Administrator(admin): Administrator,
    ListQuery(query): ListQuery<UserQuery>,
) -> Result<Reply<Paginated<UserResponse>>> {
    let (filter, page) = query.split();
    let users = app.store.users(admin.organization, None, &filter, page).await?;
    app.show(admin.organization, users.into()).await
}

/// Shows a user.
#[utoipa::path(get, path = "/users/{userId}", operation_id = "get_user", tag = "Users", params(UserPath),
    responses((status = 200, body = UserResponse), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserPath>,
) -> Result<Reply<UserResponse>> {
    caller.must_be(path.user_id)?;
    let user = app.store.user(caller.organization, path.user_id).await?;
    app.show(caller.organization, user.into()).await
}

/// Changes a user's names.
#[utoipa::path(patch, path = "/users/{userId}", operation_id = "update_user", tag = "Users", params(UserPath),
    request_body = UpdateUser, responses((status = 200, body = UserResponse), (status = 404)))]
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Json(update): Json<UpdateUser>,
) -> Result<Reply<UserResponse>> {
    caller.must_be(path.user_id)?;
    let mut revision = app.store.revision(&caller.bearer, Right::ActFor(path.user_id)).await?;
    let mut user = users::get(&mut revision, path.user_id).await?;
    let fields = update.apply(&mut user);
    if fields.is_empty() {
        return Ok(app.ok(revision.unchanged().await?, user.into()));
    }
    user.updated_at = revision.at();
    users::update(&mut revision, &user).await?;
    let seen = revision.commit(vec![Change::UserChanged { user: user.id, fields }]).await?;
    Ok(app.ok(seen, user.into()))
}

/// Erases a user: all that is known of them, with their tokens, memberships and roles.
#[utoipa::path(delete, path = "/users/{userId}", operation_id = "delete_user", tag = "Users", params(UserPath),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn erase(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<UserPath>,
) -> Result<EmptyReply> {
    let mut revision = app.store.revision(&admin.bearer, Right::Administer).await?;
    users::erase(&mut revision, path.user_id).await?;
    administrators::must_remain(&mut revision).await?;
    let seen = revision.commit(vec![Change::UserErased { user: path.user_id }]).await?;
    Ok(app.no_content(seen))
}

#[cfg(test)]
mod tests {
    use deserr::deserialize;
    use serde_json::{Value, json};

    use super::*;

    fn ada() -> User {
        User {
            id: UserId::default(),
            email: "ada@acme.example".to_owned().try_into().unwrap(),
            full_name: Some("Ada".to_owned().try_into().unwrap()),
            preferred_name: Some("A".to_owned().try_into().unwrap()),
            active: true,
            inferred_region: None,
            created_at: OffsetDateTime::UNIX_EPOCH,
            updated_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let changed = |body: Value| deserialize::<UpdateUser, _, Faults>(body).unwrap().apply(&mut ada());
        assert!(changed(json!({})).is_empty());
        assert!(changed(json!({"full_name": "Ada", "preferred_name": "A"})).is_empty());
        assert_eq!(changed(json!({"full_name": "Ada L", "preferred_name": null})), ["full_name", "preferred_name"]);
        assert!(deserialize::<UpdateUser, _, Faults>(json!({"full_name": null})).is_err());
    }
}
